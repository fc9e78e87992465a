// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_FEED_H
#define CORE_CLUSTER_FEED_H

/*
 * What the API server sends about a resource: the pages of a list, and the lines of a watch. From
 * bytes to the few fields that are kept, with the pull reader; nothing is copied but those.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/object.h"

enum { FEED_VERSION_SIZE = OBJECT_VERSION_SIZE, FEED_CONTINUE_SIZE = 2048 };

/* metadata of a list. */
struct feed_page {
    char resource_version[FEED_VERSION_SIZE];
    char continue_token[FEED_CONTINUE_SIZE]; /* empty: this is the last page */
};

typedef void feed_visit(void *context, const struct object *object);

/* Visits each item, its kind set to `kind` whatever it says or does not say itself (the items of
   native kinds do not say), and reads metadata, which may stand before or behind the items, of
   which null means none. An item without a name or namespace is passed over.
   Fails where the bytes are not JSON, or no list (no object, no items, no resourceVersion): what is
   not listed is gone, so that nothing else must be taken for an empty list. Fails with
   ERROR_TOO_LARGE if the continue token does not fit. The visits made till then count for nothing.
 */
bool feed_read_page(const char *bytes, size_t size, enum object_kind kind, feed_visit *visit,
                    void *context, struct feed_page *ret_page, struct error *error) MUST_CHECK;

enum feed_event_type {
    FEED_UPSERT, /* ADDED or MODIFIED */
    FEED_DELETED,
    FEED_BOOKMARK,
    FEED_ERROR,   /* `code` says which: 410 is one that a new list mends */
    FEED_UNKNOWN, /* a type that is not known, or an object without a name, namespace or
                     resourceVersion (of which a bookmark needs the last only) */
};

struct feed_event {
    enum feed_event_type type;
    char resource_version[FEED_VERSION_SIZE]; /* of the object or the bookmark; else empty */
    struct object object;                     /* of FEED_UPSERT and FEED_DELETED */
    struct json_text raw;                     /* the object as it stands in the line, borrowed */
    int64_t code;      /* of FEED_ERROR, as the Status has it; 0 without one */
    char message[160]; /* of FEED_ERROR, cut */
};

/* Fails where the line is not JSON. */
bool feed_read_event(const char *line, size_t size, enum object_kind kind,
                     struct feed_event *ret_event, struct error *error) MUST_CHECK;

#endif
