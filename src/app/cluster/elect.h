// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_ELECT_H
#define APP_CLUSTER_ELECT_H

/*
 * Elects the replica that writes: the one that holds the Lease `capstan`. All replicas serve
 * admission. A replica that loses the Lease stops writing, and nothing else. Runner of
 * core/cluster/lease.
 */

#include <stdbool.h>
#include <stdint.h>

#include "edge/kube.h"
#include "edge/log.h"
#include "edge/metrics.h"

#define ELECT_LEASE_NAME "capstan"

struct elect;

/* `namespace` is the Lease's. With `is_alone` there is no Lease, and the process always leads. All
   borrowed, until elect_free(). */
struct elect *elect_new(struct kube *kube, const char *namespace, bool is_alone, struct log *log,
                        struct metrics *metrics);
void elect_free(struct elect *elect);

/* Asks what is due. Returns when to step again. */
int64_t elect_step(struct elect *elect, int64_t now_ms);

/* Ask before every write. The write must be over by the deadline (boot clock; INT64_MAX if the
   process is alone). */
bool elect_leads(const struct elect *elect, int64_t now_ms);
int64_t elect_deadline_ms(const struct elect *elect);

/* The holder of the Lease as last read; "" if nobody was. */
const char *elect_holder(const struct elect *elect);

/* "<host>_<random>": the holder's name. */
const char *elect_identity(const struct elect *elect);

/* Gives the Lease back. No write may be under way. Step on until it is released. */
void elect_release(struct elect *elect);
bool elect_is_released(const struct elect *elect);

#endif
