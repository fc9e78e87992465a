// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_REVIEW_H
#define CORE_ADMISSION_REVIEW_H

/*
 * AdmissionReview, admission.k8s.io/v1: the request from bytes, the answer to bytes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/admission/decision.h"
#include "core/facts/object.h"

enum { REVIEW_UID_SIZE = 257, REVIEW_USER_SIZE = 512 };

enum review_operation { REVIEW_OTHER, REVIEW_CREATE, REVIEW_UPDATE };

struct review {
    char uid[REVIEW_UID_SIZE];
    /* The kind under review, by request.kind, subResource and resource. A Scale is that of a
       Deployment. A status, and every kind that no rule is about, is OBJECT_OTHER. */
    enum object_kind kind;
    char group[OBJECT_GROUP_SIZE];    /* request.kind.group */
    char kind_text[OBJECT_KIND_SIZE]; /* request.kind.kind */
    char resource_group[OBJECT_GROUP_SIZE];
    char resource[OBJECT_KIND_SIZE];
    enum presence sub_resource_presence;
    char sub_resource[OBJECT_KIND_SIZE];
    enum review_operation operation;
    /* Of the request, whose URL has them, or else of the object. They may be empty. */
    enum presence namespace_presence;
    char namespace[OBJECT_NAMESPACE_SIZE];
    enum presence name_presence;
    char name[OBJECT_NAME_SIZE];
    enum presence user_presence;
    char user[REVIEW_USER_SIZE]; /* userInfo.username */
    bool is_dry_run;             /* nothing is stored, whatever the answer */
    bool is_manifest; /* made of a manifest, which is in no cluster: see core/admission/subject.h */
    bool has_object;
    bool has_old;
    struct object object;
    struct object old;
};

/*
 * Fails, with ERROR_INVALID or ERROR_TOO_LARGE, only where no answer is possible: the bytes are not
 * JSON, not an AdmissionReview of v1, or have no uid (at most 256 bytes) to answer to. Whatever
 * else is missing or of a wrong type reads as absent.
 */
bool review_decode(const char *bytes, size_t size, struct review *ret_review,
                   struct error *error) MUST_CHECK;

/* Makes the review of an object that is created or, with `old`, updated, without a user and without
   a uid. An object that has no uid itself is a manifest. */
void review_make(const struct object *object, const struct object *old, struct review *ret_review);

/* The answer. The decision must not be one that fails. */
void review_encode(const char *uid, const struct decision *decision, struct buffer *out);

#endif
