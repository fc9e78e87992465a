// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_EVENTS_H
#define APP_CLUSTER_EVENTS_H

/*
 * Sends Events, a few at a time and never in the way of anything else: what does not fit into the
 * queue is dropped, and nobody waits for an answer.
 */

#include <stdbool.h>

#include "core/cluster/event.h"
#include "edge/kube.h"
#include "edge/log.h"

struct events;

/* Borrowed until events_free(), before which the kube must have been freed. */
struct events *events_new(struct kube *kube, struct log *log);
void events_free(struct events *events);

void events_post(struct events *events, const struct event *event);

/* Whether all that was posted has been answered, or dropped. */
bool events_are_sent(const struct events *events);

#endif
