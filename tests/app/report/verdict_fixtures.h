// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_APP_VERDICT_FIXTURES_H
#define TESTS_APP_VERDICT_FIXTURES_H

/*
 * Objects to review, taken from JSON text as `capstan review` takes them from files.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON_Utils.h>
#include <cjson/cJSON.h>

#include "report/verdict.h"
#include "review/review_gather.h"

static inline const struct object *find_old(const void *old, const struct object *object) {
    return review_old_find(old, object);
}

enum { REVIEW_ITEMS_MAX = 8 };

struct review_items {
    struct manifest_item items[REVIEW_ITEMS_MAX];
    size_t n;
};

static inline void review_items_add(void *context, const struct manifest_item *item) {
    struct review_items *items = context;
    assert_true(items->n < REVIEW_ITEMS_MAX);
    items->items[items->n++] = *item;
}

/* The objects of a document. They borrow from it. */
static inline struct review_items review_items_of(const char *json) {
    struct review_items items = {.n = 0};
    struct error error;
    if (!manifest_split(json, strlen(json), review_items_add, &items, &error)) {
        fail_msg("%s: %s", json, error.text);
    }
    return items;
}

/* The verdict on the one object of a document. */
static inline void verdict_on(const struct verdict_context *context, const char *json,
                              struct verdict *ret_verdict) {
    struct review_items items = review_items_of(json);
    struct error error;
    assert_int_equal(items.n, 1);
    if (!verdict_make(context, &items.items[0], ret_verdict, &error)) {
        fail_msg("%s: %s", json, error.text);
    }
}

static inline cJSON *review_patch_tree(const struct patch *patch) {
    AUTO(buffer_fini) struct buffer json;
    struct json_write write;
    buffer_init(&json, SIZE_MAX);
    json_write_begin(&write, &json);
    patch_write(patch, &write);
    cJSON *tree = cJSON_ParseWithLength(json.bytes, json.size);
    assert_non_null(tree);
    return tree;
}

/* The admitted object is the submitted one with the patch, applied by another implementation.
   Without a patch, the two are equal byte for byte. */
static inline void assert_admitted_is_patched(const struct verdict *verdict) {
    const struct buffer *submitted = &verdict->submitted;
    const struct buffer *admitted = &verdict->admitted;
    if (patch_is_empty(&verdict->decision.patch)) {
        assert_int_equal(admitted->size, submitted->size);
        assert_memory_equal(admitted->bytes, submitted->bytes, submitted->size);
        return;
    }
    cJSON *expected = cJSON_ParseWithLength(submitted->bytes, submitted->size);
    cJSON *is = cJSON_ParseWithLength(admitted->bytes, admitted->size);
    cJSON *patch = review_patch_tree(&verdict->decision.patch);
    assert_int_equal(cJSONUtils_ApplyPatchesCaseSensitive(expected, patch), 0);
    if (!cJSON_Compare(is, expected, true)) {
        fail_msg("admitted is %.*s", (int)admitted->size, admitted->bytes);
    }
    cJSON_Delete(patch);
    cJSON_Delete(is);
    cJSON_Delete(expected);
}

#endif
