// SPDX-License-Identifier: Apache-2.0
#include "checkup_json.h"

#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/json.h"

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

cJSON *checkup_tree(const struct checkup_answer *answer) {
    if (answer->status != HTTP_STATUS_OK || answer->size > CHECKUP_ANSWER_MAX ||
        !is_sound(answer->json, answer->size)) {
        return NULL;
    }
    return cJSON_ParseWithLength(answer->json, answer->size);
}

void checkup_tree_fini(cJSON **tree) {
    cJSON_Delete(*tree);
}

const cJSON *checkup_at(const cJSON *tree, const char *path) {
    while (tree != NULL && *path != '\0') {
        char key[KEY_SIZE];
        size_t size = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)size, path);
        tree = cJSON_GetObjectItemCaseSensitive(tree, key);
        path += size + (path[size] == '.');
    }
    return tree;
}

const char *checkup_text(const cJSON *tree, const char *path) {
    const char *text = cJSON_GetStringValue(checkup_at(tree, path));
    return text != NULL ? text : "";
}

int64_t checkup_integer(const cJSON *tree, const char *path, int64_t otherwise) {
    const cJSON *number = checkup_at(tree, path);
    if (number == NULL || !cJSON_IsNumber(number)) {
        return otherwise;
    }
    double value = number->valuedouble;
    bool is_exact = value >= -EXACT_MAX && value <= EXACT_MAX && value == (double)(int64_t)value;
    return is_exact ? (int64_t)value : otherwise;
}

const cJSON *checkup_list(const cJSON *tree, const char *path) {
    const cJSON *list = checkup_at(tree, path);
    return cJSON_IsArray(list) ? list : NULL;
}

bool checkup_is(const cJSON *tree, const char *path, const char *json) {
    AUTO(checkup_tree_fini) cJSON *expected = cJSON_Parse(json);
    return cJSON_Compare(checkup_at(tree, path), expected, true);
}
