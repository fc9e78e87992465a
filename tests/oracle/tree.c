// SPDX-License-Identifier: Apache-2.0
#include "tree.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

cJSON *tree_at(const cJSON *root, ...) {
    va_list keys;
    const cJSON *node = root;
    va_start(keys, root);
    for (const char *key = va_arg(keys, const char *); key != NULL && node != NULL;
         key = va_arg(keys, const char *)) {
        node = cJSON_IsObject(node) ? cJSON_GetObjectItemCaseSensitive(node, key) : NULL;
    }
    va_end(keys);
    return (cJSON *)node;
}

void tree_put(cJSON *object, const char *key, cJSON *owned_value) {
    if (!cJSON_IsObject(object)) {
        cJSON_Delete(owned_value);
        return;
    }
    tree_drop(object, key);
    cJSON_AddItemToObject(object, key, owned_value);
}

void tree_put_text(cJSON *object, const char *key, const char *text) {
    tree_put(object, key, cJSON_CreateString(text));
}

void tree_drop(cJSON *object, const char *key) {
    if (cJSON_IsObject(object)) {
        cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    }
}

static void mend(cJSON *tree) {
    cJSON *last = NULL;
    for (cJSON *child = tree->child; child != NULL; child = child->next) {
        mend(child);
        last = child;
    }
    if (last != NULL) {
        tree->child->prev = last;
    }
}

cJSON *tree_copy(const cJSON *tree) {
    cJSON *copy = cJSON_Duplicate(tree, true);
    if (copy != NULL) {
        mend(copy);
    }
    return copy;
}

cJSON *tree_parse(const char *json) {
    cJSON *tree = cJSON_Parse(json);
    if (tree == NULL) {
        fprintf(stderr, "oracle: its own JSON is not sound: %s\n", json);
        abort();
    }
    return tree;
}

/* U+0000 as \ue000, which has the same length. */
static char *without_nul(const char *text) {
    char *copy = memory_copy(text, strlen(text));
    for (char *at = copy; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            if (strncmp(at, "\\u0000", 6) == 0) {
                at[2] = 'e';
            }
            at++;
        }
    }
    return copy;
}

cJSON *tree_parse_wire(const char *text) {
    AUTO_FREE char *copy = without_nul(text);
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithOpts(copy, &end, 0);
    while (tree != NULL && isspace((unsigned char)*end)) {
        end++;
    }
    if (tree != NULL && *end != '\0') {
        cJSON_Delete(tree);
        return NULL;
    }
    return tree;
}
