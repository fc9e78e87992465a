// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CLUSTER_FAKE_CHAOS_H
#define TESTS_CLUSTER_FAKE_CHAOS_H

/*
 * Faults by chance, for reads and writes alike. The same seed draws the same faults, though not for
 * the same requests, since these race.
 */

#include "fake_api.h"
#include "support/chance.h"

struct fake_chaos {
    struct chance chance;
    unsigned percent; /* of the requests; 0: there is no chaos */
};

/* Draws what happens to a request. Returns false if nothing does. */
bool fake_chaos_draw(struct fake_chaos *chaos, struct fake_fault *ret_fault);

#endif
