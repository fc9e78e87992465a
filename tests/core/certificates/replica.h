// SPDX-License-Identifier: Apache-2.0
#ifndef REPLICA_H
#define REPLICA_H

/* A replica of the simulation: core/certificates/renewal, and a model of what app/certificates
 * does. */

#include "world.h"

void replica_start(struct world *world, struct replica *replica);

/* Takes in what the list or the watch of this object has brought by now. */
void replica_watch(struct world *world, struct replica *replica, enum kind kind);
void replica_step(struct world *world, struct replica *replica);

/* Takes the answer to its request, unless it has given up waiting for it. */
void replica_answer(struct world *world, struct replica *replica, const struct call *call);

/* As the Service sees it. */
bool replica_is_ready(const struct replica *replica);

#endif
