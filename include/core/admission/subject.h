// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_SUBJECT_H
#define CORE_ADMISSION_SUBJECT_H

/*
 * Whose is the object under review? Finds the MCPServer that a request is about: the object itself,
 * or the one that owns the Deployment or the scaled Deployment. Identity is the controller
 * ownerReference with a uid that is the live MCPServer's. Labels can be forged: they count only
 * where there is no uid to compare, because the MCPServer's record comes from a manifest, or
 * because the Deployment itself is one. A manifest whose labels name an MCPServer that nobody knows
 * is unresolved; a live Deployment of such labels is nobody's.
 */

#include <stdbool.h>

#include "core/admission/review.h"
#include "core/facts/facts.h"

enum subject_state {
    SUBJECT_NONE,       /* nothing to decide: not an MCPServer's, being deleted, or unusable */
    SUBJECT_FOUND,      /* `server` is its MCPServer */
    SUBJECT_UNRESOLVED, /* it may be an MCPServer's, and the facts cannot tell */
};

struct subject {
    enum subject_state state;
    bool is_confirmed; /* `server` comes from a live look-up or the request, not from the facts */
    struct server_fact server;
    /* What a live look-up would have to ask for to know more: the MCPServer or the Deployment of
       the review's namespace and name. OBJECT_OTHER: there is no more to know. `wanted_uid` is the
       one that would settle it. */
    enum object_kind missing;
    char wanted_uid[OBJECT_UID_SIZE];
};

/* What live look-ups said so far. It goes before the facts, whatever its generation. */
enum evidence_state { EVIDENCE_NONE, EVIDENCE_FOUND, EVIDENCE_ABSENT };

struct evidence {
    enum evidence_state server_state;
    enum evidence_state deployment_state;
    struct server_fact server;
    struct deployment_fact deployment;
};

/* `evidence` is NULL where there is no API server to ask: then what the facts say is final, and an
   MCPServer of another uid is another one. Else the facts may be behind: it is to be looked up. */
void subject_find(struct facts *facts, const struct review *review, const struct evidence *evidence,
                  struct subject *ret_subject);

#endif
