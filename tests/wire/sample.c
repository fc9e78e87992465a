// SPDX-License-Identifier: Apache-2.0

/*
 * The functions of wire.h for samples.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/file.h"
#include "wire.h"

enum { SAMPLE_MAX = 1 << 20, KEY_SIZE = 64 };

char *sample_read(const char *name) {
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    char path[PROGRAM_PATH_SIZE];
    buffer_init(&content, SAMPLE_MAX);
    snprintf(path, sizeof(path), "%s/wire/samples/%s.json", getenv("CAPSTAN_TESTS"), name);
    if (!file_read(path, &content, &error)) {
        fail_msg("%s", error.text);
    }
    return memory_copy(content.bytes, content.size);
}

cJSON *sample_load(const char *name) {
    AUTO_FREE char *text = sample_read(name);
    cJSON *review = cJSON_Parse(text);
    assert_non_null(review);
    return review;
}

/* Finds the object that holds the last part of the path, and puts that part into `key`. */
static cJSON *find_parent(cJSON *object, const char *path, char key[KEY_SIZE]) {
    for (;;) {
        path++;
        size_t size = strcspn(path, "/");
        assert_true(size > 0 && size < KEY_SIZE);
        memcpy(key, path, size);
        key[size] = '\0';
        path += size;
        if (*path == '\0') {
            return object;
        }
        object = cJSON_GetObjectItemCaseSensitive(object, key);
        if (!cJSON_IsObject(object)) {
            fail_msg("the sample has no object '%s'", key);
        }
    }
}

void sample_add(cJSON *review, const char *path, const char *json) {
    char key[KEY_SIZE];
    cJSON *parent = find_parent(review, path, key);
    assert_true(cJSON_AddItemToObject(parent, key, cJSON_CreateRaw(json)));
}

void sample_set(cJSON *review, const char *path, const char *json) {
    char key[KEY_SIZE];
    cJSON *parent = find_parent(review, path, key);
    cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
    if (json != NULL) {
        assert_true(cJSON_AddItemToObject(parent, key, cJSON_CreateRaw(json)));
    }
}

char *sample_print(const cJSON *review) {
    char *text = cJSON_PrintUnformatted(review);
    assert_non_null(text);
    return text;
}

char *sample_with(const char *name, const char *path, const char *json) {
    cJSON *review = sample_load(name);
    sample_set(review, path, json);
    char *text = sample_print(review);
    cJSON_Delete(review);
    return text;
}
