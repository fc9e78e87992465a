// SPDX-License-Identifier: Apache-2.0
#include "base64.h"

#include <stdint.h>
#include <string.h>

const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_value(char digit) {
    const char *at = strchr(base64_digits, digit);
    return at == NULL ? -1 : (int)(at - base64_digits);
}

bool base64_decode(char *text, size_t *ret_size) {
    uint32_t bits = 0; /* the lowest `n_bits` are not yet written as bytes */
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
    memset(text + size, '\0',
           strlen(text + size)); /* what is left of the digits of a secret, too */
    *ret_size = size;
    bool has_stray_bits = (bits & ((1u << n_bits) - 1)) != 0;
    return n_padding <= 2 && (n_digits + n_padding) % 4 == 0 && !has_stray_bits;
}
