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

void kube_text_make_line(char *text) {
    char *to = text;
    kube_text_trim(text);
    for (const char *from = text; *from != '\0'; from++) {
        bool is_white = strchr(" \t\r\n\v\f", *from) != NULL;
        if (!is_white) {
            *to++ = *from;
        } else if (to[-1] != ' ') {
            *to++ = ' ';
        }
    }
    *to = '\0';
}

void kube_text_list_add(char ***list, char *owned_text) {
    size_t n = 0;
    while (*list != NULL && (*list)[n] != NULL) {
        n++;
    }
    *list = memory_resize(*list, n + 2, sizeof(char *));
    (*list)[n] = owned_text;
    (*list)[n + 1] = NULL;
}

void kube_text_list_free(char **list) {
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        memory_free_secret(list[i]);
    }
    free(list);
}

void kube_text_resolve(const char *folder, char **path) {
    if (*path == NULL || **path == '/') {
        return;
    }
    char *resolved = memory_format("%s%s", folder, *path);
    free(*path);
    *path = resolved;
}
