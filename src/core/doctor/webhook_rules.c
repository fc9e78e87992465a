// SPDX-License-Identifier: Apache-2.0
#include "webhook_rules.h"

#include <string.h>

#include "base/attribute.h"
#include "tree.h"

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
    const char *scope = tree_text(rule, "scope");
    return scope[0] != '\0' ? scope : "*";
}

static bool overlap(const cJSON *rule, const cJSON *other) {
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (!lists_meet(tree_list(rule, lists[i]), tree_list(other, lists[i]))) {
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

/* True if a part of a pattern means this part of a word. */
static bool part_means(const char *pattern, size_t pattern_size, const char *word,
                       size_t word_size) {
    return (pattern_size == 1 && *pattern == '*') ||
           (pattern_size == word_size && memcmp(pattern, word, word_size) == 0);
}

/* True if the pattern means all that the word means. The parts are as in items_meet(). */
static bool item_means(const char *pattern, const char *word) {
    size_t pattern_size = strcspn(pattern, "/");
    size_t word_size = strcspn(word, "/");
    const char *pattern_rest = pattern + pattern_size + (pattern[pattern_size] == '/');
    const char *word_rest = word + word_size + (word[word_size] == '/');
    return part_means(pattern, pattern_size, word, word_size) &&
           part_means(pattern_rest, strlen(pattern_rest), word_rest, strlen(word_rest));
}

static bool list_means(const cJSON *list, const char *word) {
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (cJSON_IsString(item) && item_means(item->valuestring, word)) {
            return true;
        }
    }
    return false;
}

/* True if it is a member that a rule is compared by. */
static bool is_known(const cJSON *member) {
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (strcmp(member->string, lists[i]) == 0) {
            return true;
        }
    }
    return strcmp(member->string, "scope") == 0;
}

/* True if Capstan knows all members of the rule, so that it can tell what the rule means. */
static bool is_readable(const cJSON *rule) {
    const cJSON *member;
    cJSON_ArrayForEach(member, rule) {
        if (!is_known(member)) {
            return false;
        }
    }
    return cJSON_IsObject(rule);
}

/* One request, or a pattern of requests: a word for each of `lists`. */
struct point {
    const char *words[COUNT_OF(lists)];
    const char *scope;
};

static bool rules_mean(const cJSON *rules, const struct point *point) {
    const cJSON *rule;
    cJSON_ArrayForEach(rule, rules) {
        bool means = is_readable(rule) && item_means(scope_of(rule), point->scope);
        for (size_t i = 0; i < COUNT_OF(lists); i++) {
            means = means && list_means(tree_list(rule, lists[i]), point->words[i]);
        }
        if (means) {
            return true;
        }
    }
    return false;
}

/* The words of the lists from `depth` on are still to be chosen. The depth is that of `lists`. */
static bool cover_from(const cJSON *rules, const cJSON *wanted, struct point *point, size_t depth) {
    const cJSON *item;
    if (depth == COUNT_OF(lists)) {
        return rules_mean(rules, point);
    }
    cJSON_ArrayForEach(item, tree_list(wanted, lists[depth])) {
        point->words[depth] = cJSON_GetStringValue(item);
        if (point->words[depth] == NULL || !cover_from(rules, wanted, point, depth + 1)) {
            return false;
        }
    }
    return true;
}

bool webhook_rules_cover(const cJSON *rules, const cJSON *wanted) {
    const cJSON *rule;
    cJSON_ArrayForEach(rule, wanted) {
        struct point point = {.scope = scope_of(rule)};
        if (!is_readable(rule) || !cover_from(rules, rule, &point, 0)) {
            return false;
        }
    }
    return true;
}
