// SPDX-License-Identifier: Apache-2.0
#include "kube_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

bool kube_text_is_token(const char *text) {
    const char *at = text;
    while (*at > 0x20 && *at < 0x7f) {
        at++;
    }
    return *at == '\0' && at > text;
}

bool kube_text_is_pem(const char *text) {
    return strstr(text, "-----BEGIN ") != NULL;
}

void kube_text_trim(char *text) {
    static const char white_space[] = " \t\r\n\v\f";
    size_t skipped = strspn(text, white_space);
    size_t size = strlen(text + skipped);
    while (size > 0 && strchr(white_space, text[skipped + size - 1]) != NULL) {
        size--;
    }
    size_t end = strlen(text);
    memmove(text, text + skipped, size);
    memset(text + size, '\0', end - size); /* it may be a token: leave no part of it behind */
}

void kube_text_resolve(const char *folder, char **path) {
    if (*path == NULL || **path == '/') {
        return;
    }
    char *resolved = memory_format("%s%s", folder, *path);
    free(*path);
    *path = resolved;
}
