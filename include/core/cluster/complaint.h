// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_COMPLAINT_H
#define CORE_CLUSTER_COMPLAINT_H

/*
 * Limits how often the log says that something fails: at once when it begins to fail or fails in
 * another way, and after that once a minute or not at all.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum complaint_pace {
    COMPLAINT_ONCE,     /* not again before complaint_settle() */
    COMPLAINT_MINUTELY, /* again when a minute is over */
};

struct complaint {   /* zero to begin with */
    bool is_failing; /* since the last complaint_settle() */
    /* The implementation's own. */
    char kind[sizeof(((struct error *)0)->text)]; /* of the failure that was last said */
    int64_t said_ms;
    int64_t n_unsaid; /* failures since then */
};

/* Something has failed. Two failures are the same if their `kind` is, a text that may be empty. If
   the log is to say it now, returns how many failures there were since it last did, including this
   one; else 0. */
int64_t complaint_raise(struct complaint *complaint, enum complaint_pace pace, const char *kind,
                        int64_t now_ms);

/* It went well, so the next failure is said at once. Returns whether it was failing. */
bool complaint_settle(struct complaint *complaint);

#endif
