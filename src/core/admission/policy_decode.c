// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_fields.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/admission/policy.h"

/*
 * The PolicyConfig document, as tables of its keys. json_fields refuses unknown keys and wrong
 * types, with the path and the place; the functions here say what else may not be.
 */

enum { VALUE_SIZE = 64, USER_SIZE = 512, LIST_SIZE = 160, SECONDS_A_DAY = 86400 };

/* The context of the walk: the policy, and what the document says of itself. */
struct document {
    struct policy *policy;
    bool has_api_version;
    bool has_kind;
};

/* A text that can only be one. */
static void read_constant(struct json_walk *walk, const char *constant) {
    char value[VALUE_SIZE];
    char problem[VALUE_SIZE];
    if (json_walk_text(walk, value, sizeof(value)) == PRESENCE_SET &&
        strcmp(value, constant) != 0) {
        snprintf(problem, sizeof(problem), "is not known; it must be %s", constant);
        json_walk_fail_about(walk, value, problem);
    }
}

static void read_api_version(struct json_walk *walk, void *at) {
    (void)at;
    ((struct document *)walk->context)->has_api_version = true;
    read_constant(walk, POLICY_API_VERSION);
}

static void read_kind(struct json_walk *walk, void *at) {
    (void)at;
    ((struct document *)walk->context)->has_kind = true;
    read_constant(walk, POLICY_KIND);
}

static const char *const mode_names[] = {
    [MODE_OFF] = "off", [MODE_WARN] = "warn", [MODE_ENFORCE] = "enforce", [MODE_DENY] = "deny"};

/* "'x' is no mode here; use off, warn or deny" */
static void fail_mode(struct json_walk *walk, enum rule_id rule, const char *value) {
    bool can_enforce = rule_has_mode(rule, MODE_ENFORCE);
    bool can_deny = rule_has_mode(rule, MODE_DENY);
    char problem[80];
    snprintf(problem, sizeof(problem), "is no mode here; use off%s%s%s",
             can_enforce || can_deny ? ", warn" : " or warn",
             can_enforce ? (can_deny ? ", enforce" : " or enforce") : "",
             can_deny ? " or deny" : "");
    json_walk_fail_about(walk, value, problem);
}

/* The rule whose place in policy.modes this is. */
static enum rule_id rule_at(const struct json_walk *walk, const enum mode *at) {
    const struct document *document = walk->context;
    return (enum rule_id)(at - document->policy->modes);
}

static void read_mode(struct json_walk *walk, void *at) {
    enum mode *ret_mode = at;
    enum rule_id rule = rule_at(walk, at);
    char value[VALUE_SIZE];
    bool is_on;
    /* An unquoted `off` is the boolean false in YAML 1.1. */
    if (json_peek(walk->reader) == JSON_BOOL) {
        if (json_read_bool(walk->reader, &is_on) && !is_on) {
            *ret_mode = MODE_OFF;
        } else {
            fail_mode(walk, rule, "true");
        }
        return;
    }
    if (json_walk_text(walk, value, sizeof(value)) != PRESENCE_SET) {
        return;
    }
    for (size_t mode = 0; mode < COUNT_OF(mode_names); mode++) {
        if (rule_has_mode(rule, (enum mode)mode) && strcmp(value, mode_names[mode]) == 0) {
            *ret_mode = (enum mode)mode;
            return;
        }
    }
    fail_mode(walk, rule, value);
}

static void read_operator_user(struct json_walk *walk, void *at) {
    struct policy *policy = at;
    char user[USER_SIZE];
    enum presence presence = json_walk_text(walk, user, sizeof(user));
    if (presence == PRESENCE_ABSENT) {
        json_walk_fail(walk, "must be the name of a user");
    } else if (presence == PRESENCE_SET) {
        policy->operator_users =
            memory_resize(policy->operator_users, policy->n_operator_users + 1, sizeof(char *));
        policy->operator_users[policy->n_operator_users++] = memory_copy(user, strlen(user));
    }
}

/* The list takes the place of the default. */
static void read_operator_users(struct json_walk *walk, void *at) {
    struct policy *policy = at;
    while (policy->n_operator_users > 0) {
        free(policy->operator_users[--policy->n_operator_users]);
    }
    (void)json_walk_items(walk, read_operator_user, policy);
}

/* The keys of a rule beside its mode. */
enum { SETTINGS_MAX = 4 };

static const struct json_field settings[RULE_COUNT][SETTINGS_MAX] = {
    [RULE_STDIO_CAP] = {JSON_BOOL("rewriteSpec", struct policy, rewrites_spec),
                        JSON_BOOL("preventSurge", struct policy, prevents_surge)},
    [RULE_REPLICA_PASSTHROUGH] = {JSON_READ_WHOLE("operatorUsers", read_operator_users)},
    [RULE_GRACE_PERIOD] = {JSON_INTEGER("seconds", struct policy, grace_seconds, 0, INT32_MAX),
                           JSON_BOOL("minimum", struct policy, is_grace_minimum)},
    [RULE_SESSION_STORAGE] = {JSON_BOOL("defaultRedis", struct policy, has_default_redis)},
};

static void read_rule(struct json_walk *walk, void *at) {
    const struct document *document = walk->context;
    const struct json_field *setting = settings[rule_at(walk, at)];
    struct json_field rows[SETTINGS_MAX + 1] = {JSON_READ_WHOLE("mode", read_mode)};
    struct json_fields fields = {rows, 1};
    rows[0].at = (uint32_t)((char *)at - (char *)document->policy);
    for (size_t i = 0; i < SETTINGS_MAX && setting[i].key != NULL; i++) {
        rows[fields.n_rows++] = setting[i];
    }
    (void)json_walk_object(walk, &fields, document->policy);
}

static void read_exempt_rule(struct json_walk *walk, void *at) {
    bool *rules = at;
    char value[VALUE_SIZE];
    enum presence presence = json_walk_text(walk, value, sizeof(value));
    if (presence != PRESENCE_SET) {
        if (presence == PRESENCE_ABSENT) {
            json_walk_fail(walk, "must be the name of a rule");
        }
        return;
    }
    char problem[LIST_SIZE] = "is no rule; there are";
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        const char *name = rule_name((enum rule_id)rule);
        size_t used = strlen(problem);
        if (strcmp(value, name) == 0) {
            rules[rule] = true;
            return;
        }
        snprintf(problem + used, sizeof(problem) - used, "%s %s", rule == 0 ? "" : ",", name);
    }
    json_walk_fail_about(walk, value, problem);
}

static bool exempts_any(const bool *rules) {
    return memchr(rules, true, RULE_COUNT) != NULL;
}

static void read_exempt_rules(struct json_walk *walk, void *at) {
    if (json_walk_items(walk, read_exempt_rule, at) == PRESENCE_SET && !exempts_any(at)) {
        json_walk_fail(walk, "must name a rule, or be left out to mean all");
    }
}

static void read_exempt_kind(struct json_walk *walk, void *at) {
    enum object_kind *ret_kind = at;
    char value[VALUE_SIZE];
    char problem[LIST_SIZE] = "is no kind that can be exempt; there are";
    if (json_walk_text(walk, value, sizeof(value)) != PRESENCE_SET) {
        return;
    }
    *ret_kind = kind_of_family(value);
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        size_t used = strlen(problem);
        snprintf(problem + used, sizeof(problem) - used, "%s %s",
                 kind == OBJECT_FAMILY_FIRST ? "" : ",", kind_rows[kind].kind);
    }
    if (*ret_kind == OBJECT_OTHER) {
        json_walk_fail_about(walk, value, problem);
    }
}

static void read_exempt_until(struct json_walk *walk, void *at) {
    char value[VALUE_SIZE];
    int64_t day;
    if (json_walk_text(walk, value, sizeof(value)) != PRESENCE_SET) {
        return;
    }
    if (text_parse_day(value, &day)) {
        *(int64_t *)at = day + SECONDS_A_DAY;
    } else {
        json_walk_fail_about(walk, value, "is not a day such as 2027-01-31");
    }
}

static void read_exemption(struct json_walk *walk, void *at) {
    static const struct json_field rows[] = {
        JSON_TEXT_VALID("namespace", struct exemption, namespace, text_is_dns_label,
                        "is not the name of a namespace"),
        JSON_TEXT_VALID("name", struct exemption, name, text_is_dns_subdomain,
                        "is not the name of an object"),
        JSON_READ("kind", struct exemption, kind, read_exempt_kind),
        JSON_READ("rules", struct exemption, rules, read_exempt_rules),
        JSON_READ("until", struct exemption, ends, read_exempt_until),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct policy *policy = at;
    struct exemption exemption = {.ends = INT64_MAX};
    (void)json_walk_object(walk, &fields, &exemption);
    if (exemption.namespace[0] == '\0') {
        json_walk_fail(walk, "namespace is missing");
    }
    if (!exempts_any(exemption.rules)) {
        memset(exemption.rules, true, sizeof(exemption.rules));
    }
    policy->exemptions =
        memory_resize(policy->exemptions, policy->n_exemptions + 1, sizeof(exemption));
    policy->exemptions[policy->n_exemptions++] = exemption;
}

static void read_on_unresolved(struct json_walk *walk, void *at) {
    bool *fails = at;
    char value[VALUE_SIZE];
    bool is_text = json_walk_text(walk, value, sizeof(value)) == PRESENCE_SET;
    *fails = is_text && strcmp(value, "fail") == 0;
    if (is_text && !*fails && strcmp(value, "allow") != 0) {
        json_walk_fail_about(walk, value, "is not known; use allow or fail");
    }
}

/* YAML 1.1 reads an unquoted `on` or `yes` as the boolean true, and `off` or `no` as false. */
static void read_conditions_write(struct json_walk *walk, void *at) {
    static const char *const names[] = {
        [CONDITIONS_AUTO] = "auto", [CONDITIONS_ON] = "on", [CONDITIONS_OFF] = "off"};
    enum conditions_write *ret_write = at;
    char value[VALUE_SIZE];
    bool is_on;
    if (json_peek(walk->reader) == JSON_BOOL) {
        if (json_read_bool(walk->reader, &is_on)) {
            *ret_write = is_on ? CONDITIONS_ON : CONDITIONS_OFF;
        }
        return;
    }
    if (json_walk_text(walk, value, sizeof(value)) != PRESENCE_SET) {
        return;
    }
    for (size_t write = 0; write < COUNT_OF(names); write++) {
        if (strcmp(value, names[write]) == 0) {
            *ret_write = (enum conditions_write)write;
            return;
        }
    }
    json_walk_fail_about(walk, value, "is not known; use on, auto or off");
}

static const struct json_field conditions_rows[] = {
    JSON_READ("write", struct policy, conditions_write, read_conditions_write),
};
static const struct json_fields conditions_fields = JSON_FIELDS(conditions_rows);

#define NOTHING(...)
#define RULE_ROW(ID, NAME, KEY, ...) JSON_READ(KEY, struct policy, modes[RULE_##ID], read_rule),

static const struct json_field document_rows[] = {
    JSON_READ_WHOLE("apiVersion", read_api_version),
    JSON_READ_WHOLE("kind", read_kind),
    RULE_TABLE(RULE_ROW, NOTHING) JSON_INSIDE("conditions", &conditions_fields),
    JSON_READ("onUnresolved", struct policy, fails_unresolved, read_on_unresolved),
    JSON_LIST_WHOLE("exempt", read_exemption),
};
static const struct json_fields document_fields = JSON_FIELDS(document_rows);

static void check_head(struct json_walk *walk, const struct document *document) {
    if (!document->has_api_version) {
        json_walk_fail_below(walk, "apiVersion", "is missing; it must be " POLICY_API_VERSION);
    }
    if (!document->has_kind) {
        json_walk_fail_below(walk, "kind", "is missing; it must be " POLICY_KIND);
    }
}

bool policy_decode(const char *json, size_t size, struct policy **ret_policy, struct error *error) {
    struct document document = {.policy = policy_default()};
    struct json_strict strict = {.error = error, .knows_all = true, .null_keeps = true, .root = ""};
    struct json_reader reader;
    struct json_walk walk = {.reader = &reader, .strict = &strict, .context = &document};
    struct error fault;
    json_begin(&reader, json, size);
    (void)json_walk_object(&walk, &document_fields, document.policy);
    check_head(&walk, &document);
    bool is_json = json_finish(&reader, &fault);
    if (!is_json || strict.has_failed) {
        *error = is_json ? *error : fault;
        policy_free(document.policy);
        return false;
    }
    *ret_policy = document.policy;
    return true;
}
