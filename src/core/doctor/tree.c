// SPDX-License-Identifier: Apache-2.0
#include "tree.h"

#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/json.h"
#include "base/memory.h"

enum { KEY_SIZE = 64 };

/* Integers up to here are exact as doubles: 2^53. */
#define EXACT_MAX 9007199254740992.0

/* cJSON alone would accept malformed UTF-8 and bytes behind the value. */
static bool is_sound(const char *json, size_t size) {
    struct json_reader reader;
    struct error error;
    json_begin(&reader, json, size);
    json_skip(&reader);
    return json_finish(&reader, &error);
}

cJSON *tree_read(const struct answer *answer) {
    if (answer->status != HTTP_STATUS_OK || answer->size > QUESTION_ANSWER_MAX ||
        !is_sound(answer->json, answer->size)) {
        return NULL;
    }
    return cJSON_ParseWithLength(answer->json, answer->size);
}

void tree_fini(cJSON **tree) {
    cJSON_Delete(*tree);
}

static void wipe_texts(cJSON *item) {
    for (; item != NULL; item = item->next) {
        if (item->valuestring != NULL) {
            memory_wipe(item->valuestring, strlen(item->valuestring));
        }
        wipe_texts(item->child);
    }
}

void tree_wipe(cJSON **tree) {
    wipe_texts(*tree);
    tree_fini(tree);
}

const cJSON *tree_at(const cJSON *tree, const char *path) {
    while (tree != NULL && *path != '\0') {
        char key[KEY_SIZE];
        size_t size = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)size, path);
        tree = cJSON_GetObjectItemCaseSensitive(tree, key);
        path += size + (path[size] == '.');
    }
    return tree;
}

const char *tree_text(const cJSON *tree, const char *path) {
    const char *text = cJSON_GetStringValue(tree_at(tree, path));
    return text != NULL ? text : "";
}

int64_t tree_integer(const cJSON *tree, const char *path, int64_t otherwise) {
    const cJSON *number = tree_at(tree, path);
    if (number == NULL || !cJSON_IsNumber(number)) {
        return otherwise;
    }
    double value = number->valuedouble;
    bool is_exact = value >= -EXACT_MAX && value <= EXACT_MAX && value == (double)(int64_t)value;
    return is_exact ? (int64_t)value : otherwise;
}

const cJSON *tree_list(const cJSON *tree, const char *path) {
    const cJSON *list = tree_at(tree, path);
    return cJSON_IsArray(list) ? list : NULL;
}

bool tree_is(const cJSON *tree, const char *path, const char *json) {
    AUTO(tree_fini) cJSON *expected = cJSON_Parse(json);
    return cJSON_Compare(tree_at(tree, path), expected, true);
}
