// SPDX-License-Identifier: Apache-2.0
#include "core/admission/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { PATH_SIZE = 128, VALUE_SIZE = 64, LIST_SIZE = 256, USER_SIZE = 512, SECONDS_A_DAY = 86400 };

/* One document being read. The first error is kept; what follows it is skipped. */
struct decoder {
    struct json_reader reader;
    const char *json;
    size_t at; /* where the key or value in hand begins */
    struct policy *policy;
    enum rule_id rule; /* whose settings are being read */
    struct error *error;
    bool has_failed;
    bool has_api_version;
    bool has_kind;
};

/* A key that a mapping may have, and what reads its value. */
struct field {
    const char *name;
    void (*read)(struct decoder *decoder, const char *path);
};

/* Keys and values are quoted in errors, and may have anything in them. */
static void keep_one_line(char *text) {
    for (; *text != '\0'; text++) {
        bool is_control = (unsigned char)*text < 0x20 || *text == 0x7f;
        *text = is_control ? '?' : *text;
    }
}

static void fail(struct decoder *decoder, const char *path, const char *problem) {
    if (!decoder->has_failed) {
        error_set_at(decoder->error, ERROR_INVALID, decoder->at, "%s: %s", path, problem);
        keep_one_line(decoder->error->text);
        decoder->has_failed = true;
    }
}

static void fail_about(struct decoder *decoder, const char *path, const char *value,
                       const char *problem) {
    char text[VALUE_SIZE + LIST_SIZE];
    snprintf(text, sizeof(text), "'%.*s' %s", VALUE_SIZE, value, problem);
    fail(decoder, path, text);
}

static void fail_unknown(struct decoder *decoder, const char *path, const struct field *fields,
                         size_t n_fields) {
    char text[LIST_SIZE] = "unknown key; known here: ";
    for (size_t i = 0; i < n_fields; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s", i == 0 ? "" : ", ", fields[i].name);
    }
    fail(decoder, path, text);
}

static const struct field *find_field(const struct field *fields, size_t n_fields,
                                      const struct json_text *key) {
    for (size_t i = 0; i < n_fields; i++) {
        if (json_text_is(key, fields[i].name)) {
            return &fields[i];
        }
    }
    return NULL;
}

static void join_path(char out[PATH_SIZE], const char *path, const struct json_text *key) {
    char name[VALUE_SIZE];
    if (!json_text_copy(key, name, sizeof(name))) {
        text_copy(name, sizeof(name), "(a long key)");
    } else if (name[0] == '\0') {
        text_copy(name, sizeof(name), "(an empty key)");
    }
    /* Cut where it is longer; the place in the file is told besides. */
    size_t size = strlen(path);
    text_copy(out, PATH_SIZE, path);
    if (size > 0 && size + 1 < PATH_SIZE) {
        out[size++] = '.';
    }
    text_copy(out + size, PATH_SIZE - size, name);
}

static void read_mapping(struct decoder *decoder, const char *path, const struct field *fields,
                         size_t n_fields) {
    struct json_text key;
    if (json_peek(&decoder->reader) != JSON_OBJECT) {
        fail(decoder, path[0] == '\0' ? "the document" : path, "must be a mapping");
    }
    if (!json_enter_object(&decoder->reader)) {
        return;
    }
    while (json_next_member(&decoder->reader, &key)) {
        char key_path[PATH_SIZE];
        const struct field *field = find_field(fields, n_fields, &key);
        join_path(key_path, path, &key);
        if (field == NULL) {
            decoder->at = (size_t)(key.at - 1 - decoder->json);
            fail_unknown(decoder, key_path, fields, n_fields);
        }
        if (decoder->has_failed) {
            json_skip(&decoder->reader);
        } else {
            decoder->at = json_offset(&decoder->reader);
            field->read(decoder, key_path);
        }
    }
}

/* Reads each item of a list; `read` is told the path of the item. */
static void read_list(struct decoder *decoder, const char *path,
                      void (*read)(struct decoder *decoder, const char *path)) {
    if (json_peek(&decoder->reader) != JSON_ARRAY) {
        fail(decoder, path, "must be a list");
    }
    if (!json_enter_array(&decoder->reader)) {
        return;
    }
    for (size_t i = 0; json_next_item(&decoder->reader); i++) {
        char item_path[PATH_SIZE];
        snprintf(item_path, sizeof(item_path), "%.*s[%zu]", PATH_SIZE - 24, path, i);
        decoder->at = json_offset(&decoder->reader);
        if (decoder->has_failed) {
            json_skip(&decoder->reader);
        } else {
            read(decoder, item_path);
        }
    }
}

static void read_bool(struct decoder *decoder, const char *path, bool *ret_value) {
    if (!json_read_bool(&decoder->reader, ret_value)) {
        fail(decoder, path, "must be true or false");
    }
}

static bool read_text(struct decoder *decoder, const char *path, char *out, size_t capacity) {
    struct json_text text;
    if (!json_read_text(&decoder->reader, &text)) {
        fail(decoder, path, "must be a string");
    } else if (!json_text_copy(&text, out, capacity)) {
        fail(decoder, path, "is too long, or has a zero byte");
    } else if (out[0] == '\0') {
        fail(decoder, path, "must not be empty");
    }
    return !decoder->has_failed;
}

/* A string that can only be one. */
static void read_constant(struct decoder *decoder, const char *path, const char *constant) {
    char value[VALUE_SIZE];
    if (read_text(decoder, path, value, sizeof(value)) && strcmp(value, constant) != 0) {
        char text[VALUE_SIZE];
        snprintf(text, sizeof(text), "is not known; it must be %s", constant);
        fail_about(decoder, path, value, text);
    }
}

static const char *const mode_names[] = {
    [MODE_OFF] = "off", [MODE_WARN] = "warn", [MODE_ENFORCE] = "enforce", [MODE_DENY] = "deny"};

/* "is no mode here; use off, warn or deny" */
static void fail_mode(struct decoder *decoder, const char *path, const char *value) {
    char text[LIST_SIZE] = "is no mode here; use off";
    int last = MODE_DENY;
    while (!rule_has_mode(decoder->rule, (enum mode)last)) {
        last--;
    }
    for (int mode = MODE_WARN; mode <= last; mode++) {
        size_t used = strlen(text);
        if (rule_has_mode(decoder->rule, (enum mode)mode)) {
            snprintf(text + used, sizeof(text) - used, "%s%s", mode == last ? " or " : ", ",
                     mode_names[mode]);
        }
    }
    fail_about(decoder, path, value, text);
}

static void read_mode(struct decoder *decoder, const char *path) {
    enum mode *ret_mode = &decoder->policy->modes[decoder->rule];
    char value[VALUE_SIZE];
    bool is_on;
    /* An unquoted `off` is the boolean false in YAML 1.1. */
    if (json_peek(&decoder->reader) == JSON_BOOL) {
        if (json_read_bool(&decoder->reader, &is_on) && !is_on) {
            *ret_mode = MODE_OFF;
        } else {
            fail_mode(decoder, path, "true");
        }
        return;
    }
    if (!read_text(decoder, path, value, sizeof(value))) {
        return;
    }
    for (size_t mode = 0; mode < COUNT_OF(mode_names); mode++) {
        if (rule_has_mode(decoder->rule, (enum mode)mode) && strcmp(value, mode_names[mode]) == 0) {
            *ret_mode = (enum mode)mode;
            return;
        }
    }
    fail_mode(decoder, path, value);
}

static void read_rewrite_spec(struct decoder *decoder, const char *path) {
    read_bool(decoder, path, &decoder->policy->rewrites_spec);
}

static void read_prevent_surge(struct decoder *decoder, const char *path) {
    read_bool(decoder, path, &decoder->policy->prevents_surge);
}

static void read_operator_user(struct decoder *decoder, const char *path) {
    struct policy *policy = decoder->policy;
    char user[USER_SIZE];
    if (read_text(decoder, path, user, sizeof(user))) {
        policy->operator_users =
            memory_resize(policy->operator_users, policy->n_operator_users + 1, sizeof(char *));
        policy->operator_users[policy->n_operator_users++] = memory_copy(user, strlen(user));
    }
}

static void read_operator_users(struct decoder *decoder, const char *path) {
    struct policy *policy = decoder->policy;
    while (policy->n_operator_users > 0) {
        free(policy->operator_users[--policy->n_operator_users]);
    }
    read_list(decoder, path, read_operator_user);
}

static void read_grace_seconds(struct decoder *decoder, const char *path) {
    int64_t seconds;
    if (!json_read_integer(&decoder->reader, &seconds) || seconds < 0 || seconds > INT32_MAX) {
        fail(decoder, path, "must be an integer from 0 to 2147483647");
    } else {
        decoder->policy->grace_seconds = seconds;
    }
}

static void read_grace_minimum(struct decoder *decoder, const char *path) {
    read_bool(decoder, path, &decoder->policy->is_grace_minimum);
}

/* Settings of a rule beside its mode. */
enum { SETTINGS_MAX = 4 };

static const struct field settings[RULE_COUNT][SETTINGS_MAX] = {
    [RULE_STDIO_CAP] = {{"rewriteSpec", read_rewrite_spec}, {"preventSurge", read_prevent_surge}},
    [RULE_REPLICA_PASSTHROUGH] = {{"operatorUsers", read_operator_users}},
    [RULE_GRACE_PERIOD] = {{"seconds", read_grace_seconds}, {"minimum", read_grace_minimum}},
};

static void read_rule(struct decoder *decoder, const char *path, enum rule_id rule) {
    struct field fields[SETTINGS_MAX + 1] = {{"mode", read_mode}};
    size_t n_fields = 1;
    for (size_t i = 0; i < SETTINGS_MAX && settings[rule][i].name != NULL; i++) {
        fields[n_fields++] = settings[rule][i];
    }
    decoder->rule = rule;
    read_mapping(decoder, path, fields, n_fields);
}

#define NOTHING(...)
#define READ_RULE(ID, ...)                                                                         \
    static void read_rule_##ID(struct decoder *decoder, const char *path) {                        \
        read_rule(decoder, path, RULE_##ID);                                                       \
    }
#define RULE_FIELD(ID, NAME, KEY, ...) {(KEY), read_rule_##ID},

RULE_TABLE(READ_RULE, NOTHING)

static void read_on_unresolved(struct decoder *decoder, const char *path) {
    char value[VALUE_SIZE];
    if (!read_text(decoder, path, value, sizeof(value))) {
        return;
    }
    decoder->policy->fails_unresolved = strcmp(value, "fail") == 0;
    if (!decoder->policy->fails_unresolved && strcmp(value, "allow") != 0) {
        fail_about(decoder, path, value, "is not known; use allow or fail");
    }
}

/* The exemption in hand is the last one. */
static struct exemption *exemption_in_hand(struct decoder *decoder) {
    return &decoder->policy->exemptions[decoder->policy->n_exemptions - 1];
}

static void read_exempt_namespace(struct decoder *decoder, const char *path) {
    struct exemption *exemption = exemption_in_hand(decoder);
    char value[OBJECT_NAME_SIZE];
    if (!read_text(decoder, path, value, sizeof(value))) {
        return;
    }
    if (!text_is_dns_label(value)) {
        fail_about(decoder, path, value, "is not the name of a namespace");
    } else {
        text_copy(exemption->namespace, sizeof(exemption->namespace), value);
    }
}

static void read_exempt_name(struct decoder *decoder, const char *path) {
    struct exemption *exemption = exemption_in_hand(decoder);
    if (read_text(decoder, path, exemption->name, sizeof(exemption->name)) &&
        !text_is_dns_subdomain(exemption->name)) {
        fail_about(decoder, path, exemption->name, "is not the name of an object");
    }
}

static void read_exempt_rule(struct decoder *decoder, const char *path) {
    char value[VALUE_SIZE];
    if (!read_text(decoder, path, value, sizeof(value))) {
        return;
    }
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (strcmp(value, rule_name((enum rule_id)rule)) == 0) {
            exemption_in_hand(decoder)->rules[rule] = true;
            return;
        }
    }
    char text[LIST_SIZE] = "is no rule; there are";
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s %s", rule == 0 ? "" : ",",
                 rule_name((enum rule_id)rule));
    }
    fail_about(decoder, path, value, text);
}

static bool exempts_any(const struct exemption *exemption) {
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (exemption->rules[rule]) {
            return true;
        }
    }
    return false;
}

static void read_exempt_rules(struct decoder *decoder, const char *path) {
    read_list(decoder, path, read_exempt_rule);
    if (!exempts_any(exemption_in_hand(decoder))) {
        fail(decoder, path, "must name a rule, or be left out to mean all");
    }
}

static void read_exempt_until(struct decoder *decoder, const char *path) {
    char value[VALUE_SIZE];
    int64_t day;
    if (!read_text(decoder, path, value, sizeof(value))) {
        return;
    }
    if (!text_parse_day(value, &day)) {
        fail_about(decoder, path, value, "is not a day such as 2027-01-31");
    } else {
        exemption_in_hand(decoder)->ends = day + SECONDS_A_DAY;
    }
}

static void read_exemption(struct decoder *decoder, const char *path) {
    static const struct field fields[] = {{"namespace", read_exempt_namespace},
                                          {"name", read_exempt_name},
                                          {"rules", read_exempt_rules},
                                          {"until", read_exempt_until}};
    struct policy *policy = decoder->policy;
    size_t at = decoder->at;
    policy->exemptions =
        memory_resize(policy->exemptions, policy->n_exemptions + 1, sizeof(struct exemption));
    policy->exemptions[policy->n_exemptions++] = (struct exemption){.ends = INT64_MAX};
    read_mapping(decoder, path, fields, COUNT_OF(fields));
    struct exemption *exemption = exemption_in_hand(decoder);
    if (exemption->namespace[0] == '\0') {
        decoder->at = at;
        fail(decoder, path, "namespace is missing");
    }
    if (!exempts_any(exemption)) {
        memset(exemption->rules, true, sizeof(exemption->rules));
    }
}

static void read_exempt(struct decoder *decoder, const char *path) {
    read_list(decoder, path, read_exemption);
}

static void read_api_version(struct decoder *decoder, const char *path) {
    decoder->has_api_version = true;
    read_constant(decoder, path, POLICY_API_VERSION);
}

static void read_kind(struct decoder *decoder, const char *path) {
    decoder->has_kind = true;
    read_constant(decoder, path, POLICY_KIND);
}

static void read_document(struct decoder *decoder) {
    static const struct field fields[] = {
        {"apiVersion", read_api_version},
        {"kind", read_kind},
        RULE_TABLE(RULE_FIELD, NOTHING){"onUnresolved", read_on_unresolved},
        {"exempt", read_exempt}};
    read_mapping(decoder, "", fields, COUNT_OF(fields));
    decoder->at = 0;
    if (!decoder->has_api_version) {
        fail(decoder, "apiVersion", "is missing; it must be " POLICY_API_VERSION);
    }
    if (!decoder->has_kind) {
        fail(decoder, "kind", "is missing; it must be " POLICY_KIND);
    }
}

bool policy_decode(const char *json, size_t size, struct policy **ret_policy, struct error *error) {
    struct decoder decoder = {.json = json, .policy = policy_default(), .error = error};
    struct error fault;
    json_begin(&decoder.reader, json, size);
    read_document(&decoder);
    if (!json_finish(&decoder.reader, &fault)) {
        *error = fault;
        decoder.has_failed = true;
    }
    if (decoder.has_failed) {
        policy_free(decoder.policy);
        return false;
    }
    *ret_policy = decoder.policy;
    return true;
}
