// SPDX-License-Identifier: Apache-2.0
#include "patch_apply.h"

#include <string.h>

enum { TOKEN_SIZE = 256 };

/* The next reference token of a JSON pointer (RFC 6901), decoded. Returns what is left behind it.
 */
static const char *next_token(const char *pointer, char token[TOKEN_SIZE]) {
    size_t size = 0;
    for (pointer++; *pointer != '\0' && *pointer != '/' && size + 1 < TOKEN_SIZE; pointer++) {
        if (*pointer == '~' && (pointer[1] == '0' || pointer[1] == '1')) {
            pointer++;
            token[size++] = *pointer == '0' ? '~' : '/';
        } else {
            token[size++] = *pointer;
        }
    }
    token[size] = '\0';
    return pointer;
}

static bool add(cJSON *object, const char *pointer, const cJSON *value) {
    char token[TOKEN_SIZE];
    while (*pointer == '/') {
        pointer = next_token(pointer, token);
        if (!cJSON_IsObject(object)) {
            return false;
        }
        if (*pointer == '\0') {
            cJSON_DeleteItemFromObjectCaseSensitive(object, token);
            return cJSON_AddItemToObject(object, token, cJSON_Duplicate(value, true));
        }
        object = cJSON_GetObjectItemCaseSensitive(object, token);
    }
    return false;
}

bool patch_apply(cJSON *object, const cJSON *patch) {
    const cJSON *operation;
    cJSON_ArrayForEach(operation, patch) {
        const cJSON *op = cJSON_GetObjectItemCaseSensitive(operation, "op");
        const cJSON *path = cJSON_GetObjectItemCaseSensitive(operation, "path");
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(operation, "value");
        if (!cJSON_IsString(op) || strcmp(op->valuestring, "add") != 0 || !cJSON_IsString(path) ||
            value == NULL || !add(object, path->valuestring, value)) {
            return false;
        }
    }
    return true;
}
