// SPDX-License-Identifier: Apache-2.0
#include "yaml_scalar.h"

#include <string.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "yaml_number.h"

/* All spellings of one value. */
struct meaning {
    const char *words; /* separated by spaces */
    enum yaml_scalar_kind kind;
    const char *json;
};

static const struct meaning meanings[] = {
    {"~ null Null NULL", YAML_SCALAR_NULL, "null"},
    {"y Y yes Yes YES true True TRUE on On ON", YAML_SCALAR_BOOL, "true"},
    {"n N no No NO false False FALSE off Off OFF", YAML_SCALAR_BOOL, "false"},
    {".nan .NaN .NAN", YAML_SCALAR_SPECIAL, "\".nan\""},
    {".inf .Inf .INF +.inf +.Inf +.INF", YAML_SCALAR_SPECIAL, "\".inf\""},
    {"-.inf -.Inf -.INF", YAML_SCALAR_SPECIAL, "\"-.inf\""},
    {"<<", YAML_SCALAR_MERGE, "\"<<\""},
};

static bool has_word(const char *words, const char *text, size_t size) {
    for (const char *word = words; *word != '\0'; word += strspn(word, " ")) {
        size_t word_size = strcspn(word, " ");
        if (word_size == size && memcmp(word, text, size) == 0) {
            return true;
        }
        word += word_size;
    }
    return false;
}

static const struct meaning *find_meaning(const char *text, size_t size) {
    const size_t size_max = 5;
    if (size > size_max) {
        return NULL;
    }
    if (size == 0) {
        return &meanings[0];
    }
    for (size_t i = 0; i < COUNT_OF(meanings); i++) {
        if (has_word(meanings[i].words, text, size)) {
            return &meanings[i];
        }
    }
    return NULL;
}

enum yaml_scalar_kind yaml_scalar_resolve(const char *text, size_t size, struct buffer *out) {
    const struct meaning *meaning = find_meaning(text, size);
    if (meaning != NULL) {
        buffer_add_text(out, meaning->json);
        return meaning->kind;
    }
    enum yaml_scalar_kind kind = yaml_number_read(text, size, out);
    if (kind == YAML_SCALAR_TEXT) {
        yaml_scalar_add_text(text, size, out);
    }
    return kind;
}

void yaml_scalar_add_text(const char *text, size_t size, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_text_sized(&write, text, size);
}

void yaml_scalar_add_key(enum yaml_scalar_kind kind, const char *json, size_t size,
                         struct buffer *out) {
    AUTO_FREE char *copy = memory_copy(json, size);
    buffer_add_byte(out, '"');
    if (kind == YAML_SCALAR_FLOAT) {
        yaml_number_add_key(copy, out);
    } else {
        buffer_add(out, copy, size);
    }
    buffer_add_byte(out, '"');
}
