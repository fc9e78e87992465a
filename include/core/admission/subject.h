// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_SUBJECT_H
#define CORE_ADMISSION_SUBJECT_H

/*
 * Finds the MCPServer that a request is about: the object itself, or the MCPServer of the
 * Deployment or of the Scale. Identity is never what the requester may write in the same request.
 *
 * By owner: the Deployment, or in an update the old one, has a controller ownerReference that names
 * an MCPServer of the Deployment's own name, with the uid of the live one. All rules apply.
 *
 * By selector: the Deployment has the name of a live MCPServer, and its selector, which nobody can
 * change, has both labels of that MCPServer's pods. Then stdio-cap alone applies. So whoever forges
 * such a selector gets a Deployment of his own held at one replica. A Scale is found by the
 * selector in its old status.
 *
 * The labels of an object decide nothing, since anybody may edit them. There is one exception:
 * where there are no uids. A manifest belongs to the MCPServer that its labels name, and so does a
 * Deployment if the MCPServer's record comes from a manifest.
 */

#include <stdbool.h>

#include "core/admission/review.h"
#include "core/facts/facts.h"

enum subject_state {
    SUBJECT_NONE,  /* nothing to decide: not an MCPServer's, being deleted, or not well formed */
    SUBJECT_FOUND, /* `server` is its MCPServer */
    SUBJECT_UNRESOLVED, /* it may be an MCPServer's, but the facts cannot tell */
};

/* The rules that apply. */
enum subject_scope {
    SCOPE_ALL,
    SCOPE_CAP,  /* stdio-cap: found by selector, or a look-up for the rest has failed */
    SCOPE_HOLD, /* the externally-driven path of stdio-cap: the MCPServer is being deleted */
};

struct subject {
    enum subject_state state;
    enum subject_scope scope;
    bool is_confirmed;  /* `server` comes from a live look-up or the request, not from the facts */
    bool could_look_up; /* a look-up of the MCPServer with the review's name could tell more */
    struct fact server; /* the MCPServer; `name` and `uid` are empty if nobody knows it */
};

/* The answer of a live look-up. It overrides the facts, whatever its generation. */
enum evidence_state {
    EVIDENCE_NONE,   /* nobody has asked */
    EVIDENCE_FAILED, /* there was no answer */
    EVIDENCE_FOUND,  /* `server` is the MCPServer of the review's namespace and name */
    EVIDENCE_ABSENT, /* there is none */
};

struct evidence {
    enum evidence_state state;
    struct fact server;
};

/* `evidence` is NULL where there is no API server to ask. Then the facts are final, and an
   MCPServer of another uid is another MCPServer. Otherwise the facts may be behind, and it needs a
   look-up. */
void subject_find(struct facts *facts, const struct review *review, const struct evidence *evidence,
                  struct subject *ret_subject);

#endif
