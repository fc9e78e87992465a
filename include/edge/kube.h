// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_H
#define EDGE_KUBE_H

/*
 * Requests to the Kubernetes API by path and JSON: many at a time, on one thread, without blocking.
 * libcurl sends them as HTTP/1.1 over TLS; it does not show in this header. The caller interprets
 * the JSON, handles errors and decides when to ask again.
 *
 * Only the thread that calls kube_wait() may call these functions, except kube_wake(). Callbacks
 * come only from within kube_wait(). The process must ignore SIGPIPE.
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
    KUBE_WATCH,   /* a GET that is answered by lines without end */
    KUBE_CREATE,  /* POST */
    KUBE_REPLACE, /* PUT */
    KUBE_APPLY,   /* PATCH, application/apply-patch+yaml (the body is JSON, which is YAML) */
    KUBE_MERGE,   /* PATCH, application/merge-patch+json */
    KUBE_PATCH,   /* PATCH, application/json-patch+json */
    KUBE_DELETE,  /* the body is DeleteOptions */
};

/* The outcome of a request. */
struct kube_answer {
    bool is_good;     /* a complete 2xx answer */
    int status;       /* HTTP status; 0 if there was no answer */
    const char *body; /* borrowed for the call; of a watch, only if the status is not 200 */
    size_t body_size;
    int64_t retry_after_ms; /* from the answer, or -1 */
    /* If it is not good. The text has the verb, the path, and the message of a Status or of
       libcurl. Kinds by HTTP status: ERROR_INVALID for 400 and 4xx not named here, ERROR_DENIED for
       401 and 403, ERROR_NOT_FOUND for 404 with a Status (without one the path is not served:
       ERROR_UNAVAILABLE), ERROR_CONFLICT for 409, ERROR_EXPIRED for 410, ERROR_UNAVAILABLE for 3xx,
       429, 5xx and network faults. ERROR_TOO_LARGE if the answer passes answer_max, ERROR_TIMEOUT
       if the time is over. If there was no credential, it is that error. A watch that the server
       ends cleanly is good. */
    struct error error;
};

/* Called exactly once per request, unless it was cancelled. It may begin and cancel requests. */
typedef void kube_done(void *context, const struct kube_answer *answer);

/* One line of a watch, without its newline, never empty; borrowed for the call. A last line without
   a newline is dropped. */
typedef void kube_line(void *context, const char *line, size_t size);

struct kube_request {
    enum kube_verb verb;
    const char *path; /* "/api/v1/...?query", escaped; copied */
    const char *body; /* copied; NULL for none */
    size_t body_size;
    int64_t timeout_ms; /* for the whole request, waiting for a free connection included */
    size_t answer_max;  /* bytes of a 2xx answer, or of one line of a watch; of others 64 KiB are
                           kept */
    kube_line *line;    /* only for a watch */
    kube_done *done;
    void *context; /* given to both */
};

/* A request that has ended, or a watch that begins: what may be told of it, and no secret. */
struct kube_exchange {
    bool is_begin; /* of a watch; status, milliseconds and n_bytes are 0 */
    const char *method;
    const char *path;     /* without its query */
    int status;           /* 0 if there was no answer */
    int64_t milliseconds; /* from kube_begin() to its end */
    size_t n_bytes;       /* of the answer, without its headers */
};

struct kube_options {
    const struct kube_access *access; /* borrowed until kube_free() */
    const char *user_agent;           /* "capstan/0.1.0"; borrowed until kube_free() */
    size_t connections_max;           /* watches included */
    /* Told of each request, cancelled ones too; NULL: nobody is. It must call nothing here. */
    void (*on_exchange)(void *context, const struct kube_exchange *exchange);
    void *context;
};

/* Sends nothing yet. Errors: ERROR_INVALID or ERROR_NOT_FOUND if the CA or the client's pair cannot
   be read, ERROR_UNAVAILABLE if libcurl is missing. Free with kube_free(). */
bool kube_new(const struct kube_options *options, struct kube **ret_kube,
              struct error *error) MUST_CHECK;

/* Cancels all requests. NULL is allowed. */
void kube_free(struct kube *kube);

/* Begins a request. The pointer is valid until `done` is called or the call is cancelled. */
struct kube_call *kube_begin(struct kube *kube, const struct kube_request *request);

/* After this, no callback comes. Callbacks may cancel any call, their own too. */
void kube_cancel(struct kube *kube, struct kube_call *call);

/* Waits at most `timeout_ms` for an event of a request, for one of the other descriptors (sets
   their `revents`, as poll() does), or for kube_wake(). Then handles the events and calls back. */
void kube_wait(struct kube *kube, struct pollfd *others, size_t n_others, int64_t timeout_ms);

/* The server's clock at `now_ms` (of clock_boot_ms()), in seconds since 1970, by the Date of the
   newest answer of any status. False if no answer has had a Date that can be read. Our wall clock
   has no part in it. */
bool kube_server_wall_s(const struct kube *kube, int64_t now_ms, int64_t *ret_seconds);

/* The same, and the time of our wall clock if the server's is not known. */
int64_t kube_wall_s(const struct kube *kube, int64_t now_ms);

/* Makes the current or next kube_wait() return. Any thread may call it. */
void kube_wake(struct kube *kube);

#endif
