// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_EVENTS_H
#define APP_CLUSTER_EVENTS_H

/*
 * Sends Events through a queue, a few at a time, so that they delay nothing else. An Event that is
 * not taken, or finds the queue full, is dropped, and nobody waits for an answer. While the API
 * server takes none, the others wait in the queue (core/throttle). An Event of an occasion (`once`)
 * that is there already is no failure: another replica has posted it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/event.h"
#include "edge/kube.h"
#include "edge/log.h"

struct events;

/* Borrows both until events_free(). Free the kube before the events. */
struct events *events_new(struct kube *kube, struct log *log);
void events_free(struct events *events);

void events_post(struct events *events, const struct event *event);

/* Sends what is due. Returns when to step again. */
int64_t events_step(struct events *events, int64_t now_ms);

/* True if every Event that was posted has been answered or dropped. */
bool events_are_sent(const struct events *events);

#endif
