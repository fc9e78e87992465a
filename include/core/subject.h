// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUBJECT_H
#define CORE_SUBJECT_H

/*
 * Whose is the object under review? Finds the MCPServer that a request is about: the object itself,
 * or the one that owns the Deployment or the scaled Deployment. Identity is the controller
 * ownerReference with a uid that is the live MCPServer's; labels can be forged, and count only for
 * manifests, which have no uids.
 */

#include <stdbool.h>

#include "core/facts.h"
#include "core/review.h"

enum subject_state {
    SUBJECT_NONE,       /* nothing to decide: not an MCPServer's, being deleted, or unusable */
    SUBJECT_FOUND,      /* `server` is its MCPServer */
    SUBJECT_UNRESOLVED, /* it may be an MCPServer's, and the facts cannot tell */
};

struct subject {
    enum subject_state state;
    bool is_confirmed; /* `server` comes from a live look-up or the request, not from the facts */
    struct server_fact server;
};

void subject_find(struct facts *facts, const struct review *review, struct subject *ret_subject);

#endif
