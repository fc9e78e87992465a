// SPDX-License-Identifier: Apache-2.0
#ifndef APP_AUDIT_AUDIT_ASK_H
#define APP_AUDIT_AUDIT_ASK_H

/*
 * Sends one GET for `capstan audit` and waits for the answer. Asks again after a fault that may
 * pass: 429, 5xx, a lost connection.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "core/cluster/backoff.h"
#include "edge/kube.h"

struct audit_reply {
    bool is_answered;
    bool is_good;
    int status;
    int64_t retry_after_ms; /* -1: none was given */
    struct buffer body;     /* empty unless it is good */
    struct error error;     /* if it is not good */
};

/* How often a request may still be repeated, and for how long. */
struct audit_patience {
    struct backoff backoff;
    int64_t left_ms;
};

void audit_patience_init(struct audit_patience *patience);

/* The pause before the next try: the back-off, or the Retry-After if that is longer. -1: the reply
   is good or final, or there is no patience left. */
int64_t audit_patience_next(struct audit_patience *patience, const struct audit_reply *reply);

/* True if the answer is over the size limit or over time: fewer objects may help. */
bool audit_reply_is_too_large(const struct audit_reply *reply);

/* Free the body with buffer_fini(). */
void audit_ask(struct kube *kube, const char *path, struct audit_reply *ret_reply);

#endif
