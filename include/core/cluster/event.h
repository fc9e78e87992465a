// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_EVENT_H
#define CORE_CLUSTER_EVENT_H

/*
 * An Event (events.k8s.io/v1) about an object with a namespace, as JSON: what `kubectl describe`
 * shows below the object.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */

#include <stdint.h>

#include "base/buffer.h"

struct event {
    const char *namespace; /* of the object and of the Event */
    const char *name;      /* of the object */
    const char *uid;
    const char *api_version; /* "toolhive.stacklok.dev/v1beta1" */
    const char *kind;        /* "MCPServer" */
    const char *type;        /* "Normal" or "Warning" */
    const char *reason;      /* CamelCase, at most 128 bytes */
    const char *action;      /* the same */
    const char *note;        /* for people; cut to 1 KiB, at a character's end */
    const char *instance;    /* reportingInstance, the process; cut to 128 bytes */
    int64_t wall_us;         /* since 1970 */
    uint32_t random;         /* makes names of the same moment differ */
    uint64_t once; /* not 0: a number of the occasion, for which there is to be one Event */
};

/* reportingController is "capstan.dev/capstan". The Event's name is the object's (cut so that it
   stays a valid name), a dot, and the time and the random part in hexadecimal; or `once`, so that
   the API server refuses a second one (409). */
void event_write(const struct event *event, struct buffer *out);

#endif
