// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REVIEW_VERDICT_H
#define APP_REVIEW_REVIEW_VERDICT_H

/*
 * The verdict on one object, as the webhook would give it: the same decide function, asked about
 * what the API server would ask about.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/admission/decide.h"
#include "core/offline/manifest.h"
#include "review_old.h"

/* What verdicts depend on. All borrowed. */
struct review_context {
    const struct policy *policy;
    struct facts *facts;
    const struct review_old *old;
    bool has_cluster; /* the facts have all MCPServers of a live cluster */
    bool fills_defaults;
    bool explains;
    int64_t now;
};

enum { VERDICT_REMARK_SIZE = 512 };

/* The texts and buffers are the verdict's own. */
struct review_verdict {
    bool is_decided; /* its kind is one that is decided about */
    struct review review;
    struct decision decision;
    struct buffer submitted;
    struct buffer admitted;
    char remark[VERDICT_REMARK_SIZE]; /* empty: there is none */
    struct buffer explanation;
};

void review_verdict_fini(struct review_verdict *verdict);

/* Fails where the item is a recorded AdmissionReview that is malformed. */
bool review_verdict_check(const struct manifest_item *item, struct error *error) MUST_CHECK;

/* Judges an object, or a recorded AdmissionReview. Fails only where that is malformed. */
bool review_verdict_make(const struct review_context *context, const struct manifest_item *item,
                         struct review_verdict *ret_verdict, struct error *error) MUST_CHECK;

#endif
