// SPDX-License-Identifier: Apache-2.0
#include "selector.h"

#include <string.h>

#include "tree.h"

/* Kubernetes admits no longer value of a label. */
enum { VALUE_MAX = 63 };

/* The label's value, or NULL. */
static const char *find_label(const cJSON *labels, const char *key) {
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(labels, key));
    return value != NULL && strlen(value) <= VALUE_MAX ? value : NULL;
}

static bool labels_match(const cJSON *match_labels, const cJSON *labels) {
    const cJSON *wanted;
    bool match = true;
    cJSON_ArrayForEach(wanted, match_labels) {
        if (cJSON_IsString(wanted)) {
            const char *value = find_label(labels, wanted->string);
            match = match && value != NULL && strcmp(value, wanted->valuestring) == 0;
        }
    }
    return match;
}

static bool has_value(const cJSON *values, const char *wanted) {
    const cJSON *value;
    bool has = false;
    cJSON_ArrayForEach(value, values) {
        has = has || (cJSON_IsString(value) && strcmp(value->valuestring, wanted) == 0);
    }
    return has;
}

static bool expression_holds(const cJSON *expression, const cJSON *labels) {
    const char *operation = tree_text(expression, "operator");
    const cJSON *values = tree_list(expression, "values");
    const char *value = find_label(labels, tree_text(expression, "key"));
    if (strcmp(operation, "In") == 0) {
        return value != NULL && has_value(values, value);
    }
    if (strcmp(operation, "NotIn") == 0) {
        return value == NULL || !has_value(values, value);
    }
    if (strcmp(operation, "Exists") == 0) {
        return value != NULL;
    }
    return strcmp(operation, "DoesNotExist") != 0 || value == NULL;
}

bool selector_matches(const cJSON *selector, const cJSON *labels) {
    const cJSON *match_labels = tree_at(selector, "matchLabels");
    const cJSON *expression;
    bool match = !cJSON_IsObject(match_labels) || labels_match(match_labels, labels);
    cJSON_ArrayForEach(expression, tree_list(selector, "matchExpressions")) {
        match = match && expression_holds(expression, labels);
    }
    return match;
}
