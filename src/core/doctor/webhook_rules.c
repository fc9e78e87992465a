// SPDX-License-Identifier: Apache-2.0
#include "webhook_rules.h"

#include <string.h>

#include "base/attribute.h"
#include "checkup_json.h"

/* The members of a rule that are lists of words. */
static const char *const lists[] = {"apiGroups", "apiVersions", "operations", "resources"};

/* True if they are equal, or one of them is "*". */
static bool words_meet(const char *one, size_t one_size, const char *other, size_t other_size) {
    bool is_any = (one_size == 1 && *one == '*') || (other_size == 1 && *other == '*');
    return is_any || (one_size == other_size && memcmp(one, other, one_size) == 0);
}

/* Compares the parts before the slash, and those behind it. A word without a slash has an empty
   second part, which "*" matches too. */
static bool items_meet(const char *one, const char *other) {
    size_t one_size = strcspn(one, "/");
    size_t other_size = strcspn(other, "/");
    const char *one_rest = one + one_size + (one[one_size] == '/');
    const char *other_rest = other + other_size + (other[other_size] == '/');
    return words_meet(one, one_size, other, other_size) &&
           words_meet(one_rest, strlen(one_rest), other_rest, strlen(other_rest));
}

static bool lists_meet(const cJSON *list, const cJSON *others) {
    const cJSON *item;
    const cJSON *other;
    cJSON_ArrayForEach(item, list) {
        cJSON_ArrayForEach(other, others) {
            if (cJSON_IsString(item) && cJSON_IsString(other) &&
                items_meet(item->valuestring, other->valuestring)) {
                return true;
            }
        }
    }
    return false;
}

/* A rule without a scope has all scopes. */
static const char *scope_of(const cJSON *rule) {
    const char *scope = checkup_text(rule, "scope");
    return scope[0] != '\0' ? scope : "*";
}

static bool overlap(const cJSON *rule, const cJSON *other) {
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (!lists_meet(checkup_list(rule, lists[i]), checkup_list(other, lists[i]))) {
            return false;
        }
    }
    return items_meet(scope_of(rule), scope_of(other));
}

bool webhook_rules_overlap(const cJSON *rules, const cJSON *others) {
    const cJSON *rule;
    const cJSON *other;
    cJSON_ArrayForEach(rule, rules) {
        cJSON_ArrayForEach(other, others) {
            if (overlap(rule, other)) {
                return true;
            }
        }
    }
    return false;
}

typedef bool same_function(const cJSON *one, const cJSON *other);

/* True if each item of the list is like one of the others. */
static bool has_each(const cJSON *others, const cJSON *list, same_function *is_same) {
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        const cJSON *other;
        bool has = false;
        cJSON_ArrayForEach(other, others) {
            has = has || is_same(item, other);
        }
        if (!has) {
            return false;
        }
    }
    return true;
}

static bool same_items(const cJSON *list, const cJSON *others, same_function *is_same) {
    return has_each(others, list, is_same) && has_each(list, others, is_same);
}

static bool is_same_word(const cJSON *one, const cJSON *other) {
    return cJSON_IsString(one) && cJSON_IsString(other) &&
           strcmp(one->valuestring, other->valuestring) == 0;
}

/* True if the member is one that is_same_rule() compares. */
static bool is_known(const cJSON *member) {
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (strcmp(member->string, lists[i]) == 0) {
            return true;
        }
    }
    return strcmp(member->string, "scope") == 0;
}

static bool has_unknown_member(const cJSON *rule) {
    const cJSON *member;
    cJSON_ArrayForEach(member, rule) {
        if (!is_known(member)) {
            return true;
        }
    }
    return false;
}

static bool is_same_rule(const cJSON *rule, const cJSON *other) {
    if (!cJSON_IsObject(rule) || !cJSON_IsObject(other) || has_unknown_member(rule) ||
        has_unknown_member(other)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (!same_items(checkup_list(rule, lists[i]), checkup_list(other, lists[i]),
                        is_same_word)) {
            return false;
        }
    }
    return strcmp(scope_of(rule), scope_of(other)) == 0;
}

bool webhook_rules_equal(const cJSON *rules, const cJSON *others) {
    return same_items(rules, others, is_same_rule);
}
