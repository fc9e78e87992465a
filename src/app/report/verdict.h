// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_VERDICT_H
#define APP_REPORT_VERDICT_H

/*
 * The verdict on one object, as the webhook would give it: decide() sees the object that the API
 * server would send.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/admission/decide.h"
#include "core/facts/facts.h"
#include "core/offline/manifest.h"

/* The earlier state of an object, borrowed; NULL if it has none. */
typedef const struct object *verdict_find_old(const void *old, const struct object *object);

/* All that a verdict depends on, beside the object. All borrowed. */
struct verdict_context {
    const struct policy *policy;
    struct facts *facts;
    verdict_find_old *find_old;
    const void *old; /* for find_old */
    bool is_live; /* the objects are in a cluster now: one that is being deleted is passed over */
    bool has_cluster; /* the facts hold all objects of the family of a live cluster */
    bool fills_defaults;
    bool explains;
    int64_t now;
};

enum { VERDICT_REMARK_SIZE = 512 };

/* Owns its texts and buffers. */
struct verdict {
    bool is_decided;  /* Capstan decides about its kind */
    bool is_recorded; /* it is a recorded AdmissionReview */
    struct review review;
    struct decision decision;
    struct buffer submitted;
    struct buffer admitted;
    char remark[VERDICT_REMARK_SIZE]; /* empty: none */
    struct buffer explanation;
};

void verdict_fini(struct verdict *verdict);

/* Fails if the item is a recorded AdmissionReview that is malformed. */
bool verdict_check(const struct manifest_item *item, struct error *error) MUST_CHECK;

/* Judges an object, or a recorded AdmissionReview. Fails if the defaults or the patch do not apply
   to the object, or if the AdmissionReview is malformed. */
bool verdict_make(const struct verdict_context *context, const struct manifest_item *item,
                  struct verdict *ret_verdict, struct error *error) MUST_CHECK;

#endif
