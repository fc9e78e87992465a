// SPDX-License-Identifier: Apache-2.0
#include "kube_text.h"

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
