// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <string.h>

#include "json_scan.h"

static size_t encode_utf8(uint32_t code, char out[4]) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* Decodes one byte or one escape at the front and passes over it. Returns the size of the result; 0
   if the text is malformed, which no text from the reader is. */
static size_t decode_next(struct json_text *rest, char out[4]) {
    size_t passed = 1;
    size_t n_out = 1;
    if (rest->is_escaped && *rest->at == '\\') {
        uint32_t code = 0;
        passed = json_scan_escape(rest->at, rest->at + rest->size, &code);
        n_out = passed > 0 ? encode_utf8(code, out) : 0;
    } else {
        out[0] = *rest->at;
    }
    rest->at += passed;
    rest->size -= passed;
    return n_out;
}

bool json_text_decodes_to(const struct json_text *text, const char *expected) {
    struct json_text rest = *text;
    while (rest.size > 0) {
        char bytes[4];
        size_t n = decode_next(&rest, bytes);
        if (n == 0) {
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            if (*expected == '\0' || *expected != bytes[i]) {
                return false;
            }
            expected++;
        }
    }
    return *expected == '\0';
}

static bool copy_decoded(const struct json_text *text, char *out, size_t capacity) {
    struct json_text rest = *text;
    size_t size = 0;
    while (rest.size > 0) {
        char bytes[4];
        size_t n = decode_next(&rest, bytes);
        if (n == 0 || bytes[0] == '\0' || n >= capacity - size) {
            memset(out, 0, size + 1); /* it may be a secret */
            return false;
        }
        memcpy(out + size, bytes, n);
        size += n;
    }
    out[size] = '\0';
    return true;
}

bool json_text_copy(const struct json_text *text, char *out, size_t capacity) {
    if (text->is_escaped) {
        return copy_decoded(text, out, capacity);
    }
    bool fits = text->size < capacity;
    size_t size = fits ? text->size : 0;
    memcpy(out, text->at, size);
    out[size] = '\0';
    return fits;
}
