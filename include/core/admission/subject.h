// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_SUBJECT_H
#define CORE_ADMISSION_SUBJECT_H

/*
 * Finds the object of the family (an MCPServer, MCPRemoteProxy or VirtualMCPServer) that a request
 * is about: the object itself, or the one of the Deployment, of the Scale, or of the Deployment
 * that an autoscaler scales. Identity is never what the requester may write in the same request.
 *
 * By owner: the Deployment, or in an update the old one, has a controller ownerReference that names
 * one of the family, of the Deployment's own name, with the uid of the live one. All rules apply.
 * If the old and the new owner are of two kinds, the MCPServer counts.
 *
 * By selector: the Deployment has the name of a live MCPServer, and its selector, which nobody can
 * change, has both labels of that MCPServer's pods. Then stdio-cap alone applies, also where the
 * owner is of another kind, since owners can be edited. So whoever forges such a selector gets a
 * Deployment of his own held at one replica. A Scale is found by the selector in its old status.
 *
 * The labels of an object decide nothing, since anybody may edit them. There is one exception:
 * where there are no uids. A manifest belongs to the one that its labels name, and so does a
 * Deployment if the record of that one comes from a manifest.
 *
 * An autoscaler goes by the record of its Deployment, or, where there is none, by the name. It is
 * never unresolved, since no more than a warning is at stake.
 */

#include <stdbool.h>

#include "core/admission/review.h"
#include "core/facts/facts.h"

enum subject_state {
    SUBJECT_NONE,       /* nothing to decide: not the family's, being deleted, or not well formed */
    SUBJECT_FOUND,      /* `server` is the one of the family */
    SUBJECT_UNRESOLVED, /* it may be the family's, but the facts cannot tell */
};

/* The rules that apply. */
enum subject_scope {
    SCOPE_ALL,
    SCOPE_CAP,  /* stdio-cap: found by selector, or a look-up for the rest has failed */
    SCOPE_HOLD, /* the externally-driven path of stdio-cap: the owner is being deleted */
};

struct subject {
    enum subject_state state;
    enum subject_scope scope;
    bool is_confirmed; /* `server` comes from a live look-up or the request, not from the facts */
    /* A look-up of the one of this kind with the review's name could tell more; OBJECT_OTHER: none
       could. */
    enum object_kind lookup_kind;
    struct fact server; /* one of the family; `name` and `uid` are empty if nobody knows it */
};

/* The answer of a live look-up. It overrides the facts, whatever its generation. */
enum evidence_state {
    EVIDENCE_NONE,   /* nobody has asked */
    EVIDENCE_FAILED, /* there was no answer */
    EVIDENCE_FOUND,  /* it is the one of the review's namespace and name */
    EVIDENCE_ABSENT, /* there is none */
};

/* All answers so far, by the kind that was asked for. */
struct evidence {
    enum evidence_state states[OBJECT_FAMILY_LAST + 1];
    struct fact servers[OBJECT_FAMILY_LAST + 1]; /* where the state is EVIDENCE_FOUND */
};

/* `evidence` is NULL where there is no API server to ask. Then the facts are final, and an owner of
   another uid is another owner. Otherwise the facts may be behind, and it needs a look-up. */
void subject_find(struct facts *facts, const struct review *review, const struct evidence *evidence,
                  struct subject *ret_subject);

#endif
