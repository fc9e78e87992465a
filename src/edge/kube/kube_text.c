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
    memmove(text, text + skipped, size);
    text[size] = '\0';
}

void kube_text_resolve(const char *folder, char **path) {
    if (*path == NULL || **path == '/') {
        return;
    }
    size_t folder_size = strlen(folder);
    size_t path_size = strlen(*path);
    char *resolved = memory_new(folder_size + path_size + 1, 1);
    memcpy(resolved, folder, folder_size);
    memcpy(resolved + folder_size, *path, path_size);
    free(*path);
    *path = resolved;
}
