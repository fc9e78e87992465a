// SPDX-License-Identifier: Apache-2.0
#include "ruling.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void ruling_join(char note[DECISION_NOTE_SIZE], const char *part) {
    size_t used = strlen(note);
    if (used > 0) {
        text_copy(note + used, DECISION_NOTE_SIZE - used, "; ");
        used = strlen(note);
    }
    text_copy(note + used, DECISION_NOTE_SIZE - used, part);
}

static void raise_action(struct ruling *ruling, enum action action) {
    enum action *strongest = &ruling->decision->actions[ruling->rule];
    if (*strongest < action) {
        *strongest = action;
    }
}

void ruling_patch(struct ruling *ruling, enum patch_path path, int64_t value) {
    patch_set(&ruling->decision->patch, path, value);
    raise_action(ruling, ACTION_PATCH);
    if (path == PATCH_REPLICAS) {
        ruling->replicas = (struct number){.state = PRESENCE_SET, .value = value};
    }
}

void ruling_note(struct ruling *ruling, const char *format, ...) {
    char text[DECISION_NOTE_SIZE];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    ruling_join(ruling->note, text);
}

/* Writes "stdio-cap: " and the text, which it returns. */
PRINTF_LIKE(3, 0)
static const char *format_text(const struct ruling *ruling, char out[DECISION_WARNING_SIZE],
                               const char *format, va_list values) {
    int used = snprintf(out, DECISION_WARNING_SIZE, "%s: ", rule_name(ruling->rule));
    vsnprintf(out + used, DECISION_WARNING_SIZE - (size_t)used, format, values);
    return out + used;
}

static void add_warning(struct decision *decision, const char *text) {
    if (decision->n_warnings < DECISION_WARNINGS_MAX) {
        text_copy(decision->warnings[decision->n_warnings++], DECISION_WARNING_SIZE, text);
    }
}

void ruling_warn(struct ruling *ruling, const char *format, ...) {
    char text[DECISION_WARNING_SIZE];
    va_list values;
    va_start(values, format);
    ruling_join(ruling->note, format_text(ruling, text, format, values));
    va_end(values);
    add_warning(ruling->decision, text);
    raise_action(ruling, ACTION_WARN);
}

void ruling_tell(struct ruling *ruling, const char *format, ...) {
    char text[DECISION_WARNING_SIZE];
    va_list values;
    va_start(values, format);
    (void)format_text(ruling, text, format, values);
    va_end(values);
    add_warning(ruling->decision, text);
}

bool ruling_warn_also(struct ruling *ruling, const char *text) {
    struct decision *decision = ruling->decision;
    const char *name = rule_name(ruling->rule);
    for (size_t i = 0; i < decision->n_warnings; i++) {
        char *warning = decision->warnings[i];
        size_t used = strlen(warning);
        if (strncmp(warning, name, strlen(name)) == 0) {
            snprintf(warning + used, DECISION_WARNING_SIZE - used, ", %s", text);
            ruling_join(ruling->note, text);
            return true;
        }
    }
    return false;
}

/* Takes back what the steps so far did and said: it would be about an object that is never stored.
 */
static void take_back(struct decision *decision) {
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        decision->actions[rule] = ACTION_NONE;
    }
    for (int step = 0; step < STEP_COUNT; step++) {
        struct decision_step *taken_back = &decision->steps[step];
        if (taken_back->note[0] != '\0') {
            *taken_back = (struct decision_step){.reason = "taken back: the object is refused"};
        }
    }
    decision->patch = (struct patch){.has = {false}};
    decision->n_warnings = 0;
}

void ruling_deny(struct ruling *ruling, const char *format, ...) {
    struct decision *decision = ruling->decision;
    va_list values;
    take_back(decision);
    va_start(values, format);
    ruling_join(ruling->note, format_text(ruling, decision->message, format, values));
    va_end(values);
    raise_action(ruling, ACTION_DENY);
    decision->is_denied = true;
}

void ruling_give_up(struct ruling *ruling) {
    enum object_kind kind = ruling->server->kind;
    char text[DECISION_WARNING_SIZE];
    snprintf(text, sizeof(text),
             "unresolved: the %s of this object could not be looked up; left unchanged",
             kind != OBJECT_OTHER ? kind_rows[kind].kind : "owner");
    *ruling->decision =
        (struct decision){.is_unresolved = true, .fails = ruling->policy->fails_unresolved};
    add_warning(ruling->decision, text);
}

static bool is_same_target(const struct object *one, const struct object *other) {
    const char *name = object_scaled_deployment(one);
    const char *other_name = object_scaled_deployment(other);
    return name != NULL && other_name != NULL && strcmp(name, other_name) == 0;
}

bool ruling_is_changed(const struct ruling *ruling, unsigned changes) {
    const struct object *new = &ruling->review->object;
    const struct object *old = &ruling->review->old;
    const struct number maximum = object_maximum(new);
    const struct number old_maximum = object_maximum(old);
    unsigned found = 0;
    if (!ruling->review->has_old) {
        return false;
    }
    found |= strcmp(object_transport(new), object_transport(old)) != 0 ? CHANGE_TRANSPORT : 0;
    found |= !number_equals(&new->replicas, &old->replicas) ? CHANGE_REPLICAS : 0;
    found |= !number_equals(&new->backend_replicas, &old->backend_replicas) ? CHANGE_BACKENDS : 0;
    found |= strcmp(new->provider, old->provider) != 0 ? CHANGE_PROVIDER : 0;
    found |= !is_same_target(new, old) ? CHANGE_TARGET : 0;
    found |= !number_equals(&maximum, &old_maximum) ? CHANGE_MAXIMUM : 0;
    return (found & changes) != 0;
}

bool ruling_is_new_violation(const struct ruling *ruling, unsigned changes) {
    return ruling->review->operation == REVIEW_CREATE || ruling_is_changed(ruling, changes);
}
