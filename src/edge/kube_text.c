// SPDX-License-Identifier: Apache-2.0
#include "kube_text.h"

#include <stdint.h>
#include <string.h>

bool kube_text_is_token(const char *text) {
    const char *at = text;
    while (*at > 0x20 && *at < 0x7f) {
        at++;
    }
    return *at == '\0' && at > text;
}

void kube_text_trim(char *text) {
    static const char white_space[] = " \t\r\n\v\f";
    size_t skipped = strspn(text, white_space);
    size_t size = strlen(text + skipped);
    while (size > 0 && strchr(white_space, text[skipped + size - 1]) != NULL) {
        size--;
    }
    memmove(text, text + skipped, size);
    text[size] = '\0';
}

static int digit_value(char digit) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, digit);
    return at == NULL ? -1 : (int)(at - digits);
}

bool kube_text_decode_base64(char *text, size_t *ret_size) {
    uint32_t bits = 0; /* those that are not yet a byte are the lowest `n_bits` */
    unsigned n_bits = 0;
    size_t n_digits = 0;
    size_t n_padding = 0;
    size_t size = 0;
    for (const char *at = text; *at != '\0'; at++) {
        int value = digit_value(*at);
        if (*at == '\n' || *at == '\r') {
            continue;
        }
        if (*at == '=') {
            n_padding++;
        } else if (value < 0 || n_padding > 0) {
            return false;
        } else {
            bits = bits << 6 | (uint32_t)value;
            n_bits += 6;
            n_digits++;
        }
        if (n_bits >= 8) {
            n_bits -= 8;
            text[size++] = (char)(bits >> n_bits & 0xff);
        }
    }
    text[size] = '\0';
    *ret_size = size;
    bool has_stray_bits = (bits & ((1u << n_bits) - 1)) != 0;
    return n_padding <= 2 && (n_digits + n_padding) % 4 == 0 && !has_stray_bits;
}
