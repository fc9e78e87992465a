// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_SUBJECT_H
#define CORE_ADMISSION_SUBJECT_H

/*
 * Finds the MCPServer that a request is about: the object itself, or the owner of the Deployment or
 * of the scaled Deployment. Identity is the controller ownerReference with the uid of the live
 * MCPServer. Labels can be forged: they count only where there is no uid to compare, because the
 * MCPServer's record comes from a manifest, or because the Deployment itself is one. If a
 * manifest's labels name an unknown MCPServer, it is unresolved. On a live Deployment, labels prove
 * nothing.
 */

#include <stdbool.h>

#include "core/admission/review.h"
#include "core/facts/facts.h"

enum subject_state {
    SUBJECT_NONE,       /* nothing to decide: not an MCPServer's, being deleted, or unusable */
    SUBJECT_FOUND,      /* `server` is its MCPServer */
    SUBJECT_UNRESOLVED, /* it may be an MCPServer's, but the facts cannot tell */
};

struct subject {
    enum subject_state state;
    bool is_confirmed;  /* `server` comes from a live look-up or the request, not from the facts */
    bool could_look_up; /* a look-up of the MCPServer with the review's name could tell more */
    struct fact server; /* the MCPServer; `name` and `uid` are empty if the facts have none */
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
