// SPDX-License-Identifier: Apache-2.0
#include "record.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

uint64_t record_hash(const char *namespace, const char *name) {
    return hash_fold(hash_text(hash_text(HASH_EMPTY, namespace), name));
}

const char *record_text(const struct record *record, int which) {
    const char *text = record->bytes;
    for (int i = 0; i < which; i++) {
        text += strlen(text) + 1;
    }
    return text;
}

static size_t packed_size(const struct record_part *part, const char *at) {
    return part->is_text ? strlen(at) + 1 : part->size;
}

struct record *record_pack(const struct record_shape *shape, const void *fact) {
    const char *from = fact;
    size_t size = 0;
    for (size_t i = 0; i < shape->n_parts; i++) {
        size += packed_size(&shape->parts[i], from + shape->parts[i].offset);
    }
    struct record *record = memory_new(1, sizeof(*record) + size);
    char *to = record->bytes;
    for (size_t i = 0; i < shape->n_parts; i++) {
        const char *part = from + shape->parts[i].offset;
        size_t part_size = packed_size(&shape->parts[i], part);
        memcpy(to, part, part_size);
        to += part_size;
    }
    record->hash =
        record_hash(record_text(record, RECORD_NAMESPACE), record_text(record, RECORD_NAME));
    return record;
}

void record_unpack(const struct record_shape *shape, const struct record *record, void *ret_fact) {
    const char *from = record->bytes;
    char *to = ret_fact;
    for (size_t i = 0; i < shape->n_parts; i++) {
        size_t part_size = packed_size(&shape->parts[i], from);
        memcpy(to + shape->parts[i].offset, from, part_size);
        from += part_size;
    }
}
