// SPDX-License-Identifier: Apache-2.0
#include "ruling.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

_Static_assert(DECISION_NOTE_SIZE <= UINT8_MAX, "a share of a note is told in bytes");

enum mode ruling_mode(const struct ruling *ruling, enum rule_id rule) {
    return policy_mode(ruling->policy, rule, ruling->server->namespace, ruling->server->name,
                       ruling->now);
}

void ruling_pass(struct ruling *ruling, const char *reason) {
    ruling->decision->reasons[ruling->step] = reason;
}

static void raise_action(struct ruling *ruling, enum rule_id rule, enum action action) {
    if (ruling->decision->actions[rule] < action) {
        ruling->decision->actions[rule] = action;
    }
}

/* Adds to what the audit log will say of the rule; the same thing only once. */
static void add_note(struct ruling *ruling, enum rule_id rule, const char *text) {
    char *note = ruling->decision->notes[rule];
    size_t used = strlen(note);
    if (strstr(note, text) == NULL) {
        snprintf(note + used, DECISION_NOTE_SIZE - used, "%s%s",
                 used > 0 ? DECISION_NOTE_SEPARATOR : "", text);
    }
}

static void note_patch(struct ruling *ruling, enum rule_id rule, enum patch_path path,
                       int64_t value) {
    char note[64];
    /* What the cap does to a count it says in a warning, and says again when it is asked again,
       about an object with its own patch: an annotation must not change between the two. */
    if (path == PATCH_REPLICAS && rule == RULE_STDIO_CAP) {
        return;
    }
    if (path == PATCH_REPLICAS && ruling->replicas.state == PRESENCE_SET) {
        snprintf(note, sizeof(note), "replicas %lld, not %lld", (long long)value,
                 (long long)ruling->replicas.value);
    } else if (path == PATCH_REPLICAS) {
        snprintf(note, sizeof(note), "replicas %lld", (long long)value);
    } else if (path == PATCH_GRACE_PERIOD) {
        snprintf(note, sizeof(note), "terminationGracePeriodSeconds %lld", (long long)value);
    } else {
        snprintf(note, sizeof(note), "rolling update without surge");
    }
    add_note(ruling, rule, note);
}

void ruling_patch(struct ruling *ruling, enum rule_id rule, enum patch_path path, int64_t value) {
    note_patch(ruling, rule, path, value);
    patch_set(&ruling->decision->patch, path, value);
    raise_action(ruling, rule, ACTION_PATCH);
    if (path == PATCH_REPLICAS) {
        ruling->replicas = (struct number){.state = PRESENCE_SET, .value = value};
    }
}

/* "stdio-cap: " and the text. */
PRINTF_LIKE(3, 0)
static void format_text(char out[DECISION_WARNING_SIZE], enum rule_id rule, const char *format,
                        va_list values) {
    int used = snprintf(out, DECISION_WARNING_SIZE, "%s: ", rule_name(rule));
    vsnprintf(out + used, DECISION_WARNING_SIZE - (size_t)used, format, values);
}

static void add_warning(struct decision *decision, const char *text) {
    if (decision->n_warnings < DECISION_WARNINGS_MAX) {
        text_copy(decision->warnings[decision->n_warnings++], DECISION_WARNING_SIZE, text);
    }
}

/* Notes a text that begins with the rule's name, without it. */
static void note_text(struct ruling *ruling, enum rule_id rule, const char *text) {
    add_note(ruling, rule, text + strlen(rule_name(rule)) + strlen(": "));
}

void ruling_warn(struct ruling *ruling, enum rule_id rule, const char *format, ...) {
    char text[DECISION_WARNING_SIZE];
    va_list values;
    va_start(values, format);
    format_text(text, rule, format, values);
    va_end(values);
    add_warning(ruling->decision, text);
    note_text(ruling, rule, text);
    raise_action(ruling, rule, ACTION_WARN);
}

bool ruling_warn_also(struct ruling *ruling, enum rule_id rule, const char *text) {
    struct decision *decision = ruling->decision;
    const char *name = rule_name(rule);
    for (size_t i = 0; i < decision->n_warnings; i++) {
        char *warning = decision->warnings[i];
        size_t used = strlen(warning);
        if (strncmp(warning, name, strlen(name)) == 0) {
            snprintf(warning + used, DECISION_WARNING_SIZE - used, ", %s", text);
            add_note(ruling, rule, text);
            return true;
        }
    }
    return false;
}

void ruling_deny(struct ruling *ruling, enum rule_id rule, const char *format, ...) {
    char *message = ruling->decision->message;
    va_list values;
    va_start(values, format);
    format_text(message, rule, format, values);
    va_end(values);
    note_text(ruling, rule, message);
    raise_action(ruling, rule, ACTION_DENY);
    ruling->decision->is_denied = true;
    ruling->decision->patch = (struct patch){.has = {false}};
}

void ruling_give_up(struct ruling *ruling) {
    *ruling->decision =
        (struct decision){.is_unresolved = true, .fails = ruling->policy->fails_unresolved};
    add_warning(ruling->decision,
                "unresolved: the MCPServer of this object could not be looked up; left unchanged");
}

bool ruling_is_new_violation(const struct ruling *ruling) {
    const struct review *review = ruling->review;
    if (review->operation == REVIEW_CREATE) {
        return true;
    }
    const struct object *new = &review->object;
    const struct object *old = &review->old;
    return review->has_old && (strcmp(new->transport, old->transport) != 0 ||
                               strcmp(new->provider, old->provider) != 0 ||
                               !number_equals(&new->replicas, &old->replicas));
}
