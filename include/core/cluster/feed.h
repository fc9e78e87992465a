// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_FEED_H
#define CORE_CLUSTER_FEED_H

/*
 * Reads what the API server sends about a resource, the pages of a list and the lines of a watch,
 * with the pull reader. Copies only the few fields that are kept.
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

/* Visits each item, and reads metadata, which may stand before or behind the items. Sets the kind
   of each item to `kind`, whatever it says itself: items of native kinds say nothing. Passes over
   an item without a name or namespace. `items` may be null, for none. Fails if the bytes are not
   JSON, or no list (no object, no items, no resourceVersion): since objects that are not listed are
   gone, nothing else must pass for an empty list. Fails with ERROR_TOO_LARGE if the continue token
   does not fit. After a failure the visits are void. */
bool feed_read_page(const char *bytes, size_t size, enum object_kind kind, feed_visit *visit,
                    void *context, struct feed_page *ret_page, struct error *error) MUST_CHECK;

enum feed_event_type {
    FEED_UPSERT, /* ADDED or MODIFIED */
    FEED_DELETED,
    FEED_BOOKMARK,
    FEED_ERROR,   /* with a `code`; a new list mends 410 */
    FEED_UNKNOWN, /* an unknown type, or an object without a name, namespace or resourceVersion (a
                     bookmark needs only the last) */
};

struct feed_event {
    enum feed_event_type type;
    char resource_version[FEED_VERSION_SIZE]; /* of the object or the bookmark; else empty */
    struct object object;                     /* of FEED_UPSERT and FEED_DELETED */
    struct json_text raw;                     /* the object's JSON in the line, borrowed */
    int64_t code;                             /* of FEED_ERROR, from its Status; 0: it has none */
    char message[160];                        /* of FEED_ERROR, cut */
};

/* Fails if the line is not JSON. */
bool feed_read_event(const char *line, size_t size, enum object_kind kind,
                     struct feed_event *ret_event, struct error *error) MUST_CHECK;

#endif
