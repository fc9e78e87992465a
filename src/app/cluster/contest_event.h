// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_CONTEST_EVENT_H
#define APP_CLUSTER_CONTEST_EVENT_H

/*
 * Posts the Event ReplicasContested about an MCPServer. The replica that saw the contest posts it,
 * the leader or not. If the user is the controller of HorizontalPodAutoscalers, one GET finds the
 * HPA, so that the Event can name it. Any thread tells of a contest. The loop does the rest.
 *
 * The Event's name is made of the object, the user and the hour of the API server's clock, so that
 * the replicas together post one an hour.
 */

#include "api.h"
#include "core/facts/facts.h"
#include "elect.h"
#include "events.h"

struct contest_event;

struct contest_event_options {
    struct api *api;
    const struct elect *elect;
    struct events *events;
    struct facts *facts;
};

/* All borrowed, until contest_event_free(). Free the kube first. */
struct contest_event *contest_event_new(const struct contest_event_options *options);
void contest_event_free(struct contest_event *contest_event);

/* From any thread. The texts are copied. Left out if CONTEST_EVENT_WAITING_MAX others wait. */
enum { CONTEST_EVENT_WAITING_MAX = 64 };
void contest_event_tell(struct contest_event *contest_event, const char *namespace,
                        const char *name, const char *user);

/* Does what is due. Call it after each kube_wait(), too: contest_event_tell() wakes the loop. */
void contest_event_step(struct contest_event *contest_event);

#endif
