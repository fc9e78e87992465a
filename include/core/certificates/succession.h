// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_SUCCESSION_H
#define CORE_CERTIFICATES_SUCCESSION_H

/*
 * When the webhook configuration of a former version may go. It had another name, and applying the
 * manifests of this version does not remove it. The present configuration has to work first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/certificates/registration.h"

#define SUCCESSION_FORMER_NAME "capstan"

enum succession_verb {
    SUCCESSION_WAIT,   /* look again at the time given */
    SUCCESSION_KEEP,   /* it is not ours; look again at the time given */
    SUCCESSION_DELETE, /* delete what was looked at, and nothing newer */
};

/* Both configurations, without the entries that registration_keep_service() removes. */
struct succession_view {
    const struct registration *former;
    size_t n_foreign; /* entries that were removed from it */
    const struct registration *present;
    bool is_trusted; /* each entry of `present` trusts the certificate that is served */
};

struct succession { /* zero to begin with */
    /* The implementation's own. */
    bool is_taken_over;
    int64_t taken_over_ms;
    int64_t wait_ms;
};

struct succession_order {
    enum succession_verb verb;
    int64_t at_ms;       /* unless it is SUCCESSION_DELETE */
    const char *problem; /* to be logged; NULL if all goes as it should. It says why the former one
                            stays, and follows a name */
};

/* The former one goes when the present one has taken over for `trust_delay_ms`: by then each API
   server knows it. It has taken over if it has each entry of the former one, is as strict, and is
   trusted. */
void succession_step(struct succession *succession, const struct succession_view *view,
                     int64_t trust_delay_ms, int64_t now_ms, struct succession_order *ret_order);

/* Something could not be read or written, so the step did not come about. Returns when to try
   again. */
int64_t succession_fail(struct succession *succession, int64_t now_ms);

#endif
