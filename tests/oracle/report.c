// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tree.h"
#include "trial.h"

static const char *const world_names[WORLD_COUNT] = {
    [WORLD_OFFLINE] = "no API server to ask",
    [WORLD_FOUND] = "the API server answers with the live object",
    [WORLD_ABSENT] = "the API server answers 404",
    [WORLD_FAILED] = "the API server does not answer",
};

/* Takes a child out, and puts it back where it was. cJSON can only put it behind the others. A
   first child knows the last one as the one before it. */
static void take_out(cJSON *parent, const cJSON *child) {
    if (child == parent->child) {
        parent->child = child->next;
    } else {
        child->prev->next = child->next;
    }
    if (child->next != NULL) {
        child->next->prev = child->prev;
    } else if (parent->child != NULL) {
        parent->child->prev = child->prev;
    }
}

static void put_back(cJSON *parent, cJSON *child) {
    if (child->next == parent->child) {
        parent->child = child;
    } else {
        child->prev->next = child;
    }
    if (child->next != NULL) {
        child->next->prev = child;
    } else {
        parent->child->prev = child;
    }
}

/* Facts without a name, a kind or a uid are other facts. */
static bool must_stay(const cJSON *child) {
    static const char *const keys[] = {"apiVersion", "kind", "metadata"};
    for (size_t i = 0; child->string != NULL && i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(child->string, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A trial that is being shrunk. */
struct shrinking {
    cJSON *trial;
    enum world world;
    report_shows *shows;
    const void *context;
    bool is_facts;
};

static bool still_shows(const struct shrinking *shrinking) {
    return shrinking->shows(shrinking->context, shrinking->trial, shrinking->world);
}

/* Tries to drop each child of the node, and goes on inside of those that must stay. */
static bool shrink_node(const struct shrinking *shrinking, cJSON *node) {
    bool has_shrunk = false;
    cJSON *next;
    for (cJSON *child = node->child; child != NULL; child = next) {
        next = child->next;
        if (shrinking->is_facts && must_stay(child)) {
            continue;
        }
        take_out(node, child);
        if (still_shows(shrinking)) {
            child->next = NULL;
            cJSON_Delete(child);
            has_shrunk = true;
            continue;
        }
        put_back(node, child);
        has_shrunk = shrink_node(shrinking, child) || has_shrunk;
    }
    return has_shrunk;
}

void report_shrink(cJSON *trial, enum world world, report_shows *shows, const void *context) {
    struct shrinking shrinking = {trial, world, shows, context, false};
    static const char *const parts[] = {"facts", "policy", "review"};
    bool has_shrunk = true;
    cJSON *style = cJSON_DetachItemFromObjectCaseSensitive(trial, "style");
    if (still_shows(&shrinking)) {
        cJSON_Delete(style);
    } else {
        cJSON_AddItemToObject(trial, "style", style);
    }
    for (int round = 0; has_shrunk && round < 5; round++) {
        has_shrunk = false;
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
            shrinking.is_facts = i == 0;
            has_shrunk = shrink_node(&shrinking, tree_at(trial, parts[i], NULL)) || has_shrunk;
        }
    }
}

static void print_member(const char *indent, const char *key, const cJSON *value) {
    if (value != NULL && !cJSON_IsNull(value)) {
        char *json = cJSON_PrintUnformatted(value);
        printf("%s%s: %s\n", indent, key, json);
        free(json);
    }
}

static void print_request(const cJSON *request) {
    static const char *const keys[] = {"operation", "subResource", "kind",   "resource",
                                       "name",      "namespace",   "object", "oldObject"};
    printf("request:\n");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        print_member("  ", keys[i], tree_at(request, keys[i], NULL));
    }
    print_member("  ", "user", tree_at(request, "userInfo", "username", NULL));
}

static void print_expected(const cJSON *expected) {
    const cJSON *outcome = tree_at(expected, "outcome", NULL);
    const cJSON *value;
    printf("expect:\n");
    if (strcmp(outcome->valuestring, "failed") == 0) {
        printf("  status: 500\n");
        return;
    }
    print_member("  ", "allowed", tree_at(expected, "allowed", NULL));
    printf("  patch:\n");
    cJSON_ArrayForEach(value, tree_at(expected, "patch", NULL)) {
        char *json = cJSON_PrintUnformatted(value);
        printf("  - {op: add, path: %s, value: %s}\n", value->string, json);
        free(json);
    }
    print_member("  ", "warnings", tree_at(expected, "warnings", NULL));
    print_member("  ", "audit", tree_at(expected, "audit", NULL));
}

void report_print(const cJSON *trial, enum world world, const cJSON *expected,
                  const cJSON *answered) {
    char *text = trial_text(trial);
    printf("# %s\n", world_names[world]);
    if (world == WORLD_FOUND) {
        print_member("# ", "live", tree_at(trial, "live", NULL));
    }
    print_member("", "now", tree_at(trial, "now", NULL));
    print_member("", "facts", tree_at(trial, "facts", NULL));
    print_member("", "policy", tree_at(trial, "policy", NULL));
    print_request(tree_at(trial, "review", "request", NULL));
    print_expected(expected);
    print_member("# ", "the oracle", expected);
    print_member("# ", "the program", answered);
    printf("# as text: %s\n\n", text);
    free(text);
}
