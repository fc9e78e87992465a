// SPDX-License-Identifier: Apache-2.0
#include "core/facts/condition.h"

#include <string.h>

#include "base/json_fields.h"
#include "base/text.h"

/* The condition of each state on the object. The other states have empty rows. */
static const struct {
    enum condition_type type;
    bool is_true;
    const char *reason;
    const char *message;
} texts[] = {
    [CONDITION_STDIO_CAPPED] = {CONDITION_TYPE_STDIO, true, CONDITION_REASON_STDIO_REPLICA_CAPPED,
                                "stdio transport requires exactly 1 replica; deployment will use 1 "
                                "regardless of spec.replicas"},
    [CONDITION_STDIO_NOT_ACTIVE] = {CONDITION_TYPE_STDIO, false,
                                    CONDITION_REASON_STDIO_REPLICA_CAP_NOT_ACTIVE,
                                    "stdio replica cap is not active"},
    [CONDITION_STORAGE_MISSING] = {CONDITION_TYPE_SESSION_STORAGE, true,
                                   CONDITION_REASON_SESSION_STORAGE_MISSING,
                                   "replicas > 1 but sessionStorage.provider is not redis; "
                                   "sessions are not shared across replicas"},
    [CONDITION_STORAGE_CONFIGURED] = {CONDITION_TYPE_SESSION_STORAGE, false,
                                      CONDITION_REASON_SESSION_STORAGE_CONFIGURED,
                                      "Redis session storage is configured"},
    [CONDITION_STORAGE_NOT_APPLICABLE] = {CONDITION_TYPE_SESSION_STORAGE, false,
                                          CONDITION_REASON_SESSION_STORAGE_NOT_APPLICABLE,
                                          "session storage warning is not active"},
};

static const char *const type_names[] = {
    [CONDITION_TYPE_STDIO] = CONDITION_STDIO_REPLICA_CAPPED,
    [CONDITION_TYPE_SESSION_STORAGE] = CONDITION_SESSION_STORAGE_WARNING,
};

/* An item of status.conditions, as it stands. */
struct item {
    struct json_text type;
    struct json_text status;
    struct json_text reason;
    struct json_text message;
    struct json_text time;
    int64_t observed_generation;
};

static const struct json_field item_rows[] = {
    JSON_VIEW("type", struct item, type),
    JSON_VIEW("status", struct item, status),
    JSON_VIEW("reason", struct item, reason),
    JSON_VIEW("message", struct item, message),
    JSON_VIEW("lastTransitionTime", struct item, time),
    JSON_INTEGER("observedGeneration", struct item, observed_generation, INT64_MIN, INT64_MAX),
};
static const struct json_fields item_fields = JSON_FIELDS(item_rows);

/* 0 if it is unreadable. */
static int64_t seconds_of(const struct json_text *time) {
    char text[48];
    int64_t seconds = 0;
    bool is_time = json_text_copy(time, text, sizeof(text)) && text_parse_time(text, &seconds);
    return is_time ? seconds : 0;
}

static enum condition_state state_of(const struct item *item, enum condition_type type) {
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (texts[i].reason != NULL && texts[i].type == type &&
            json_text_is(&item->status, texts[i].is_true ? "True" : "False") &&
            json_text_is(&item->reason, texts[i].reason) &&
            json_text_is(&item->message, texts[i].message)) {
            return (enum condition_state)i;
        }
    }
    return CONDITION_FOREIGN;
}

void condition_read(struct json_reader *reader, struct condition conditions[CONDITION_TYPE_COUNT]) {
    const struct json_text empty = {.at = ""};
    struct item item = {empty, empty, empty, empty, empty, 0};
    if (json_read_fields(reader, &item_fields, &item) != PRESENCE_SET) {
        return;
    }
    bool is_true = json_text_is(&item.status, "True");
    bool is_known = is_true || json_text_is(&item.status, "False");
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        if (json_text_is(&item.type, type_names[type])) {
            conditions[type] = (struct condition){
                .state = state_of(&item, (enum condition_type)type),
                .is_true = is_true,
                .observed_generation = item.observed_generation,
                .last_transition = is_known ? seconds_of(&item.time) : 0,
            };
        }
    }
}

void condition_remember(const struct condition before[CONDITION_TYPE_COUNT],
                        struct condition live[CONDITION_TYPE_COUNT]) {
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        if (live[type].state == CONDITION_ABSENT && before[type].state != CONDITION_ABSENT) {
            live[type] = before[type];
            live[type].state = CONDITION_ERASED;
        }
    }
}

static enum condition_state wanted_state(const struct condition_subject *subject,
                                         enum condition_type type) {
    bool exceeds_one = subject->has_replicas && subject->replicas > 1;
    bool is_capped = subject->is_stdio && exceeds_one;
    if (type == CONDITION_TYPE_STDIO) {
        return is_capped ? CONDITION_STDIO_CAPPED : CONDITION_STDIO_NOT_ACTIVE;
    }
    if (!exceeds_one) {
        return CONDITION_STORAGE_NOT_APPLICABLE;
    }
    return subject->is_redis ? CONDITION_STORAGE_CONFIGURED : CONDITION_STORAGE_MISSING;
}

bool condition_step(const struct condition_subject *subject,
                    const struct condition live[CONDITION_TYPE_COUNT], int64_t now,
                    struct condition ret_wanted[CONDITION_TYPE_COUNT]) {
    bool differs = false;
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        const struct condition *is = &live[type];
        struct condition *wanted = &ret_wanted[type];
        wanted->state = wanted_state(subject, (enum condition_type)type);
        wanted->is_true = texts[wanted->state].is_true;
        wanted->observed_generation = subject->generation;
        bool keeps_time = is->state != CONDITION_ABSENT && is->is_true == wanted->is_true &&
                          is->last_transition != 0;
        wanted->last_transition = keeps_time ? is->last_transition : now;
        differs = differs || is->state != wanted->state || !keeps_time ||
                  is->observed_generation != wanted->observed_generation;
    }
    return differs;
}

bool condition_is_written(const struct condition wanted[CONDITION_TYPE_COUNT],
                          const struct condition live[CONDITION_TYPE_COUNT]) {
    bool is_written = true;
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        is_written = is_written && live[type].state == wanted[type].state &&
                     live[type].observed_generation == wanted[type].observed_generation;
    }
    return is_written;
}

bool condition_is_behind(const struct condition live[CONDITION_TYPE_COUNT], int64_t generation) {
    bool is_behind = false;
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        is_behind = is_behind || live[type].state == CONDITION_ABSENT ||
                    live[type].observed_generation != generation;
    }
    return is_behind;
}

const char *condition_reason(const struct condition *condition) {
    return texts[condition->state].reason;
}

const char *condition_message(const struct condition *condition) {
    return texts[condition->state].message;
}

void condition_write(struct json_write *write,
                     const struct condition conditions[CONDITION_TYPE_COUNT]) {
    json_write_open(write, '[');
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        const struct condition *condition = &conditions[type];
        char time[TEXT_TIME_SIZE];
        text_format_time(time, condition->last_transition);
        json_write_open(write, '{');
        json_write_member_text(write, "type", type_names[type]);
        json_write_member_text(write, "status", condition->is_true ? "True" : "False");
        json_write_member_text(write, "reason", texts[condition->state].reason);
        json_write_member_text(write, "message", texts[condition->state].message);
        json_write_member_integer(write, "observedGeneration", condition->observed_generation);
        json_write_member_text(write, "lastTransitionTime", time);
        json_write_close(write, '}');
    }
    json_write_close(write, ']');
}
