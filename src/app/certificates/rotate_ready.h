// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ROTATE_READY_H
#define APP_CERTIFICATES_ROTATE_READY_H

/*
 * Says why a replica is not ready, as far as Capstan's own certificates go: it serves none, the one
 * that it serves is not valid now, or the webhook configuration does not trust it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "core/certificates/registration.h"
#include "core/certificates/renewal.h"
#include "served.h"

enum {
    /* The leader puts a caBundle back within 2 s if somebody blanks it now and then. That must not
       take all replicas out of the Service; 5 s is twice that. */
    ROTATE_READY_BLINK_MS = 5000,
    /* A leader of this version writes the caBundles far sooner. */
    ROTATE_READY_LEADER_PATIENCE_MS = 20000,
};

struct rotate_ready { /* zero to begin with */
    bool has_looked;
    bool distrusts[REGISTRATION_ENTRIES_MAX]; /* by the place in the registration */
    bool is_trusted;                          /* by each entry; true if there is none */
    bool was_trusted;                         /* once, by at least one entry and each of them */
    int64_t untrusted_ms;                     /* since when not, if not */
    bool is_blank;                            /* no entry has a caBundle ... */
    int64_t blank_ms;                         /* ... since then */
};

/* Looks at the trust anew, after a change of the registration or of the leaf. */
void rotate_ready_look(struct rotate_ready *ready, const struct served *served,
                       const struct registration *registration, int64_t now_ms);

/* All borrowed. */
struct rotate_ready_view {
    const struct served *served;
    const struct registration *registration;
    enum renewal_secret secret;
    enum renewal_webhook webhook;
    const char *config_name;
    bool leads;
    const char *leader; /* "": nobody holds the Lease */
    int64_t wall_s;     /* by the API server's clock, if that is known */
    int64_t now_ms;
};

/* Appends one line for each reason. Appends nothing if the replica is ready. */
void rotate_ready_explain(const struct rotate_ready *ready, const struct rotate_ready_view *view,
                          struct buffer *out);

#endif
