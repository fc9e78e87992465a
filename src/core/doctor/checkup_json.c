// SPDX-License-Identifier: Apache-2.0
#include "checkup_json.h"

#include <string.h>

#include "base/http_status.h"
#include "base/json_edit.h"

static bool find(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                 struct json_reader *ret_reader) {
    struct json_text raw;
    if (!json_edit_find(answer->json, answer->size, keys, n_keys, &raw)) {
        return false;
    }
    json_begin(ret_reader, raw.at, raw.size);
    return true;
}

void checkup_text(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                  char *out, size_t capacity) {
    struct json_reader reader;
    struct json_text text;
    out[0] = '\0';
    if (find(answer, keys, n_keys, &reader) && json_read_text(&reader, &text)) {
        (void)json_text_copy(&text, out, capacity);
    }
}

int64_t checkup_integer(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                        int64_t otherwise) {
    struct json_reader reader;
    int64_t value;
    bool is_there = find(answer, keys, n_keys, &reader) && json_read_integer(&reader, &value);
    return is_there ? value : otherwise;
}

void checkup_items(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                   struct checkup_items *ret_items) {
    struct json_reader reader;
    struct json_text raw;
    ret_items->n = 0;
    if (!find(answer, keys, n_keys, &reader) || !json_enter_array(&reader)) {
        return;
    }
    while (ret_items->n < CHECKUP_ITEMS_MAX && json_next_item(&reader) &&
           json_read_raw(&reader, &raw)) {
        ret_items->items[ret_items->n++] =
            (struct checkup_answer){.status = HTTP_STATUS_OK, .json = raw.at, .size = raw.size};
    }
}

bool checkup_contains(const struct json_text *raw, const char *piece) {
    size_t size = strlen(piece);
    for (size_t i = 0; i + size <= raw->size; i++) {
        if (memcmp(raw->at + i, piece, size) == 0) {
            return true;
        }
    }
    return false;
}
