// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_H
#define EDGE_KUBE_H

/*
 * Requests to the Kubernetes API by path and JSON: many at a time, on one thread, without blocking.
 * HTTP/1.1 over TLS through libcurl, which does not show in this header. What the JSON means, what
 * to do about an error, and when to ask again, is no business of this module.
 *
 * All functions but kube_wake() belong to the one thread that calls kube_wait(); callbacks come
 * from within kube_wait() only, never from kube_begin() or kube_cancel(). The process must ignore
 * SIGPIPE.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

struct kube;
struct kube_call;

enum kube_verb {
    KUBE_GET,
    KUBE_WATCH,   /* GET whose answer is lines without an end */
    KUBE_CREATE,  /* POST */
    KUBE_REPLACE, /* PUT */
    KUBE_APPLY,   /* PATCH, application/apply-patch+yaml (the body is JSON, which is YAML) */
    KUBE_MERGE,   /* PATCH, application/merge-patch+json */
    KUBE_PATCH,   /* PATCH, application/json-patch+json */
};

/* What came of a request. */
struct kube_answer {
    bool is_good;     /* an answer 2xx, and all of it */
    int status;       /* of HTTP; 0: there was no answer */
    const char *body; /* borrowed for the call; of a watch only that of an answer other than 200 */
    size_t body_size;
    int64_t retry_after_ms; /* as the answer said, or -1 */
    /* If it is not good. The text names the verb and the path, and has the message of a Status, or
       of libcurl. Kinds: ERROR_NOT_FOUND 404 with a Status (without one
       the path is not served, and it is ERROR_UNAVAILABLE), ERROR_CONFLICT 409, ERROR_EXPIRED 410,
       ERROR_DENIED 401 and 403, ERROR_INVALID 400, 405, 415 and 422, ERROR_TOO_LARGE for an answer
       past answer_max, ERROR_TIMEOUT when the time is over, ERROR_UNAVAILABLE for 3xx, 429, 5xx and
       all that the network does, ERROR_INVALID for other 4xx. If there was no credential, its
       error. A watch that ends as announced, without an error, is good. */
    struct error error;
};

/* Exactly one call for each request, unless it is cancelled. It may begin and cancel requests. */
typedef void kube_done(void *context, const struct kube_answer *answer);

/* One whole line of a watch, without its newline, not empty; borrowed for the call. A last line
   that ends without a newline is dropped. */
typedef void kube_line(void *context, const char *line, size_t size);

struct kube_request {
    enum kube_verb verb;
    const char *path; /* "/api/v1/...?query", escaped; copied */
    const char *body; /* copied; NULL for none */
    size_t body_size;
    int64_t timeout_ms; /* for all of it, waiting for a free connection included */
    size_t answer_max; /* bytes of an answer 2xx; of a line, for a watch. Others: 64 KiB are kept */
    kube_line *line;   /* of a watch */
    kube_done *done;
    void *context; /* for the two */
};

struct kube_options {
    const struct kube_access *access; /* borrowed until kube_free() */
    const char *user_agent;           /* "capstan/0.1.0"; borrowed as well */
    size_t connections_max;           /* watches included */
};

/* Sends nothing yet. Errors: the CA or the client's pair cannot be read (ERROR_INVALID,
   ERROR_NOT_FOUND), or libcurl is not there (ERROR_UNAVAILABLE). */
bool kube_new(const struct kube_options *options, struct kube **ret_kube,
              struct error *error) MUST_CHECK;

/* Cancels what is under way. NULL is none. */
void kube_free(struct kube *kube);

/* The call is known by the pointer until its `done` was called or it was cancelled. */
struct kube_call *kube_begin(struct kube *kube, const struct kube_request *request);

/* No callback comes after this. May be called from within callbacks, for the very call too. */
void kube_cancel(struct kube *kube, struct kube_call *call);

/* Waits for at most `timeout_ms` until something happens to a request or to one of the other
   descriptors (whose `revents` are set, as by poll()), or for kube_wake(); then does what there is
   to do, and calls back. */
void kube_wait(struct kube *kube, struct pollfd *others, size_t n_others, int64_t timeout_ms);

/* Lets kube_wait() return, or the next one at once. From any thread. */
void kube_wake(struct kube *kube);

#endif
