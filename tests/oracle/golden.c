// SPDX-License-Identifier: Apache-2.0
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "case.h"
#include "edge/file.h"
#include "oracle.h"
#include "tree.h"

/* The expectation of the case, in the form of oracle.h. */
static cJSON *expected_of(const cJSON *expect) {
    cJSON *tree = cJSON_CreateObject();
    const cJSON *allowed = tree_at(expect, "allowed", NULL);
    const cJSON *item;
    bool is_unresolved = false;
    if (tree_at(expect, "status", NULL) != NULL) {
        cJSON_AddStringToObject(tree, "outcome", "failed");
        return tree;
    }
    cJSON_AddBoolToObject(tree, "allowed", allowed == NULL || cJSON_IsTrue(allowed));
    cJSON *patch = cJSON_AddObjectToObject(tree, "patch");
    cJSON_ArrayForEach(item, tree_at(expect, "patch", NULL)) {
        cJSON_AddItemToObject(patch, tree_at(item, "path", NULL)->valuestring,
                              tree_copy(tree_at(item, "value", NULL)));
    }
    cJSON *warnings = cJSON_AddArrayToObject(tree, "warnings");
    cJSON_ArrayForEach(item, tree_at(expect, "warnings", NULL)) {
        AUTO_FREE char *rule = memory_copy(item->valuestring, strcspn(item->valuestring, ":"));
        is_unresolved = is_unresolved || strcmp(rule, "unresolved") == 0;
        cJSON_AddItemToArray(warnings, cJSON_CreateString(rule));
    }
    const cJSON *audit = tree_at(expect, "audit", NULL);
    cJSON_AddItemToObject(tree, "audit", audit == NULL ? cJSON_CreateArray() : tree_copy(audit));
    cJSON_AddStringToObject(tree, "outcome", is_unresolved ? "unresolved" : "decided");
    return tree;
}

static bool is_alike(const char *root, const char *path) {
    struct golden_case *golden = case_load(root, path);
    cJSON *no_policy = cJSON_CreateObject();
    const cJSON *policy = tree_at(golden->document, "policy", NULL);
    struct question question = {
        .facts = tree_at(golden->document, "facts", NULL),
        .policy = policy == NULL ? no_policy : policy,
        .now = golden->now,
        .review = golden->review,
        .world = WORLD_OFFLINE,
    };
    struct marks marks = {.is_resolved = false};
    cJSON *expected = expected_of(golden->expect);
    cJSON *answer = oracle_answer(&question, &marks);
    tree_drop(answer, "lookup");
    bool is_same = cJSON_Compare(expected, answer, true);
    if (!is_same) {
        char *one = cJSON_PrintUnformatted(expected);
        char *other = cJSON_PrintUnformatted(answer);
        printf("%s\n  the case:   %s\n  the oracle: %s\n", golden->path, one, other);
        free(one);
        free(other);
    }
    cJSON_Delete(expected);
    cJSON_Delete(answer);
    cJSON_Delete(no_policy);
    case_free(golden);
    return is_same;
}

size_t golden_compare(const char *folder, size_t *ret_n_cases) {
    AUTO(file_list_fini) struct file_list list = {.paths = NULL};
    struct error error;
    size_t n_different = 0;
    AUTO_FREE char *root = memory_format("%s/cases", folder);
    *ret_n_cases = 0;
    if (!file_find(root, &list, &error)) {
        printf("%s\n", error.text);
        return 1;
    }
    for (size_t i = 0; i < list.n_paths; i++) {
        n_different += !is_alike(root, list.paths[i]);
    }
    *ret_n_cases = list.n_paths;
    return n_different;
}
