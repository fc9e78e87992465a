// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_RULING_H
#define CORE_ADMISSION_RULING_H

/*
 * A decision in the making: what a step of a rule may look at, and what it may do. Each step sees
 * what the steps before it did: `replicas` is the count that would be stored by now.
 */

#include "base/attribute.h"
#include "core/admission/decide.h"

struct ruling {
    const struct policy *policy;
    const struct review *review;
    const struct fact *server; /* the one of the family that the object is or belongs to */
    bool is_confirmed;         /* `server` is not from a cache */
    struct number replicas;
    enum rule_id rule; /* whose step is being asked */
    enum mode mode;    /* of that rule for `server`; never MODE_OFF */
    char *note;        /* of that step, DECISION_NOTE_SIZE bytes */
    struct decision *decision;
};

/* Adds an operation to the patch. */
void ruling_patch(struct ruling *ruling, enum patch_path path, int64_t value);

/* Tells the audit log about a patch. */
void ruling_note(struct ruling *ruling, const char *format, ...) PRINTF_LIKE(2, 3);

/* Warns the user, and tells the audit log the same. The warning begins with the rule's name. */
void ruling_warn(struct ruling *ruling, const char *format, ...) PRINTF_LIKE(2, 3);

/* Warns the user alone: of a patch to the object under review, after which this step has nothing to
   say when it is asked again, and other steps of the rule have. */
void ruling_tell(struct ruling *ruling, const char *format, ...) PRINTF_LIKE(2, 3);

/* Appends to the warning that this rule already gave, so that each rule has at most one and none is
   truncated. False if the rule gave none. */
bool ruling_warn_also(struct ruling *ruling, const char *text);

/* Refuses the request: nothing is changed, what other steps said is taken back, and no later step
   is asked. */
void ruling_deny(struct ruling *ruling, const char *format, ...) PRINTF_LIKE(2, 3);

/* Gives up, since nobody can tell what is true in the cluster. */
void ruling_give_up(struct ruling *ruling);

/* The fields that can break a rule: flags. */
enum {
    CHANGE_TRANSPORT = 1,
    CHANGE_REPLICAS = 2,
    CHANGE_BACKENDS = 4,
    CHANGE_PROVIDER = 8,
    CHANGE_TARGET = 16,
    CHANGE_MAXIMUM = 32,
};

/* True if the object under review is new, or one of these has changed in it: a violation that is
   older may go on being edited. */
bool ruling_is_new_violation(const struct ruling *ruling, unsigned changes);

/* True if the update changes one of these. */
bool ruling_is_changed(const struct ruling *ruling, unsigned changes);

/* Appends a part to a note, with "; " between the parts. */
void ruling_join(char note[DECISION_NOTE_SIZE], const char *part);

#endif
