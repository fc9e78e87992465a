// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_CALL_H
#define EDGE_KUBE_KUBE_CALL_H

/*
 * One request from kube_begin() to its end. After a 401 it has a second transfer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "edge/kube.h"
#include "kube_curl.h"
#include "kube_incoming.h"

enum kube_call_state {
    KUBE_CALL_WAITING, /* needs a free connection or a credential */
    KUBE_CALL_RUNNING,
    KUBE_CALL_ENDED, /* `done` must be called */
};

struct kube_call {
    struct kube_call *previous;
    struct kube_call *next;
    enum kube_call_state state;
    bool is_over;                /* cancelled, or `done` was called: free it */
    bool is_retried;             /* after a 401 */
    uint64_t round;              /* number of the credential that it was sent with */
    struct kube_request request; /* its path and its body are the next two */
    char *path;
    char *body;
    int64_t began_ms;
    int64_t deadline_ms;
    int64_t sent_ms; /* the begin of its transfer */
    struct kube_incoming incoming;
    bool is_good;
    struct error error; /* if it has ended and is not good */

    const struct kube_curl *curl;
    CURL *easy; /* while it runs */
    struct curl_slist *headers;
    char reason[CURL_ERROR_SIZE];
};

/* Copies the path and the body. Free with kube_call_free(). */
struct kube_call *kube_call_new(const struct kube_curl *curl, const struct kube_request *request);

/* The call must be in no list and have no transfer. */
void kube_call_free(struct kube_call *call);

/* The HTTP status that its transfer has received, or 0. */
int kube_call_status(const struct kube_call *call);

/* These end the call: with the outcome of its transfer, because its time is over, or with an error.
   They put the verb and the path before the error and leave the transfer alone. */
void kube_call_end(struct kube_call *call, CURLcode code);
void kube_call_end_late(struct kube_call *call);
void kube_call_end_failed(struct kube_call *call, const struct error *error);

void kube_call_answer(struct kube_call *call);

#endif
