// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_INCOMING_H
#define EDGE_KUBE_KUBE_INCOMING_H

/*
 * An answer while it arrives: collects a body, or cuts a watch into lines. It does not know
 * libcurl.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "edge/kube.h"

/* The most bytes that are kept of the body of an answer other than 2xx. The body explains the
   refusal. */
#define KUBE_REFUSAL_MAX ((size_t)64 * 1024)

struct kube_incoming {
    const struct kube_request *request; /* borrowed */
    int status;                         /* HTTP status, set by the caller; 0 until it is known */
    int64_t retry_after_ms;
    bool has_date;       /* the head has told the server's time ... */
    int64_t date_s;      /* ... in seconds since 1970 ... */
    int64_t date_at_ms;  /* ... and came at this time of clock_boot_ms() */
    size_t n_bytes;      /* of the body, or of the stream, so far */
    struct buffer bytes; /* the body, or a line whose end has not arrived */
    bool is_too_large;   /* it passed answer_max */
    bool is_refusal_cut; /* it passed KUBE_REFUSAL_MAX */
    bool is_stopped;     /* set by the caller: no more bytes are wanted */
    bool has_called;     /* a line was handed out */
};

/* `bytes` must be freed in the end. */
void kube_incoming_init(struct kube_incoming *incoming, const struct kube_request *request);

void kube_incoming_restart(struct kube_incoming *incoming);

/* True for a watch that was answered 200. */
bool kube_incoming_is_stream(const struct kube_incoming *incoming);

/* Reads one line of the head, with or without its line end. */
void kube_incoming_add_header(struct kube_incoming *incoming, const char *bytes, size_t size);

/* Adds bytes of the body. Of a stream, calls `line` for each line that is complete. Returns false
   if no more bytes are wanted: one of is_too_large, is_refusal_cut and is_stopped is set. */
bool kube_incoming_add(struct kube_incoming *incoming, const char *bytes, size_t size);

#endif
