// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ROTATE_CLOCK_H
#define APP_CERTIFICATES_ROTATE_CLOCK_H

/*
 * Logs that another clock contradicts ours, once a minute, and that none does any more. Runner of
 * core/certificates/second_opinion.
 */

#include <stdint.h>

#include "core/certificates/second_opinion.h"
#include "core/cluster/complaint.h"
#include "edge/log.h"

struct rotate_clock { /* zero to begin with */
    struct second_opinion opinion;
    struct complaint complaint;
    enum second_opinion_verdict verdict; /* the last one */
};

void rotate_clock_step(struct rotate_clock *clock, struct log *log,
                       const struct second_opinion_view *view, int64_t now_ms);

#endif
