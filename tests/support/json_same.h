// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_JSON_SAME_H
#define TESTS_SUPPORT_JSON_SAME_H

/*
 * Do two JSON texts say the same, in the same order? White space and escapes do not count. For a
 * number with an exponent, only its value counts. Both texts must be valid.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

static inline void json_same_decode(struct json_text rest, struct buffer *out) {
    while (rest.size > 0) {
        char bytes[5];
        struct json_text one = {rest.at, 1, false};
        if (*rest.at == '\\') {
            bool is_low = rest.size >= 12 && rest.at[1] == 'u' && rest.at[6] == '\\' &&
                          strchr("dD", rest.at[2]) != NULL && strchr("89abAB", rest.at[3]) != NULL;
            one = (struct json_text){rest.at, is_low ? 12 : rest.at[1] == 'u' ? 6 : 2, true};
        }
        bool is_copied = json_text_copy(&one, bytes, sizeof(bytes));
        buffer_add(out, bytes, is_copied ? strlen(bytes) : 1); /* json_text_copy() refuses U+0000 */
        rest.at += one.size;
        rest.size -= one.size;
    }
}

static inline bool json_same_texts(const struct json_text *a, const struct json_text *b) {
    AUTO(buffer_fini) struct buffer text_a;
    AUTO(buffer_fini) struct buffer text_b;
    buffer_init(&text_a, SIZE_MAX);
    buffer_init(&text_b, SIZE_MAX);
    json_same_decode(*a, &text_a);
    json_same_decode(*b, &text_b);
    return text_a.size == text_b.size &&
           (text_a.size == 0 || memcmp(text_a.bytes, text_b.bytes, text_a.size) == 0);
}

static inline bool json_same_numbers(const struct json_text *a, const struct json_text *b) {
    AUTO(buffer_fini) struct buffer text_a;
    AUTO(buffer_fini) struct buffer text_b;
    buffer_init(&text_a, SIZE_MAX);
    buffer_init(&text_b, SIZE_MAX);
    buffer_add(&text_a, a->at, a->size);
    buffer_add(&text_b, b->at, b->size);
    const char *x = buffer_text(&text_a);
    const char *y = buffer_text(&text_b);
    bool may_differ = strpbrk(x, "eE") != NULL || strcmp(x, "-0") == 0;
    return may_differ ? strtod(x, NULL) == strtod(y, NULL) : strcmp(x, y) == 0;
}

/* Both readers are in front of a value. */
static inline bool json_same_values(struct json_reader *a, struct json_reader *b) {
    struct json_text text_a;
    struct json_text text_b;
    enum json_kind kind = json_peek(a);
    if (json_peek(b) != kind) {
        return false;
    }
    if (kind == JSON_OBJECT) {
        json_enter_object(a);
        json_enter_object(b);
        while (json_next_member(a, &text_a)) {
            if (!json_next_member(b, &text_b) || !json_same_texts(&text_a, &text_b) ||
                !json_same_values(a, b)) {
                return false;
            }
        }
        return !json_next_member(b, &text_b);
    }
    if (kind == JSON_ARRAY) {
        json_enter_array(a);
        json_enter_array(b);
        while (json_next_item(a)) {
            if (!json_next_item(b) || !json_same_values(a, b)) {
                return false;
            }
        }
        return !json_next_item(b);
    }
    if (kind == JSON_STRING) {
        return json_read_text(a, &text_a) && json_read_text(b, &text_b) &&
               json_same_texts(&text_a, &text_b);
    }
    if (!json_read_raw(a, &text_a) || !json_read_raw(b, &text_b)) {
        return false;
    }
    return kind == JSON_NUMBER
               ? json_same_numbers(&text_a, &text_b)
               : text_a.size == text_b.size && memcmp(text_a.at, text_b.at, text_a.size) == 0;
}

static inline bool json_same(const char *a, size_t size_a, const char *b, size_t size_b) {
    struct json_reader reader_a;
    struct json_reader reader_b;
    struct error error;
    json_begin(&reader_a, a, size_a);
    json_begin(&reader_b, b, size_b);
    return json_same_values(&reader_a, &reader_b) && json_finish(&reader_a, &error) &&
           json_finish(&reader_b, &error);
}

#endif
