// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_INCOMING_H
#define EDGE_KUBE_KUBE_INCOMING_H

/*
 * An answer while it comes in: collects a body, or cuts what a watch sends into lines. Knows
 * nothing of who brings the bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "edge/kube.h"

/* What is kept of the body of an answer other than 2xx; it is there to say what is wrong. */
#define KUBE_REFUSAL_MAX ((size_t)64 * 1024)

struct kube_incoming {
    kube_line *line; /* NULL but for a watch */
    void *context;
    size_t answer_max;
    int status; /* of HTTP; 0 as long as it is not known. Set by who brings the bytes */
    int64_t retry_after_ms;
    struct buffer bytes; /* the body, or the line whose end has not come yet */
    bool is_too_large;   /* answer_max was passed */
    bool is_refusal_cut; /* KUBE_REFUSAL_MAX was passed */
    bool is_stopped;     /* nobody wants it any more; set from outside */
    bool has_called;     /* a line was handed out */
};

void kube_incoming_init(struct kube_incoming *incoming, const struct kube_request *request);
void kube_incoming_fini(struct kube_incoming *incoming);

/* As it was at first, for another try. */
void kube_incoming_restart(struct kube_incoming *incoming);

/* True of a watch that was answered 200. */
bool kube_incoming_is_stream(const struct kube_incoming *incoming);

/* One line of the head, with or without its line end. */
void kube_incoming_take_header(struct kube_incoming *incoming, const char *bytes, size_t size);

/* Some bytes of the body. False: no more of it is wanted, for one of the three reasons above. Lines
   are handed out from in here. */
bool kube_incoming_take(struct kube_incoming *incoming, const char *bytes, size_t size);

#endif
