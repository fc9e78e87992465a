// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_LIMITS_H
#define ORACLE_LIMITS_H

/*
 * The longest texts, in bytes, that the program reads. Beyond them a text is unusable.
 */

#include "core/admission/review.h"
#include "core/facts/object.h"

enum {
    LIMIT_REVIEW_UID = 256,
    LIMIT_USER = REVIEW_USER_SIZE - 1,
    LIMIT_UID = OBJECT_UID_SIZE - 1,
    LIMIT_NAME = OBJECT_NAME_SIZE - 1,
    LIMIT_NAMESPACE = OBJECT_NAMESPACE_SIZE - 1,
    LIMIT_KIND = OBJECT_KIND_SIZE - 1,
    LIMIT_API_VERSION = OBJECT_GROUP_SIZE + OBJECT_KIND_SIZE - 1,
    LIMIT_WORD = OBJECT_WORD_SIZE - 1,
};

#endif
