// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_FEED_H
#define CORE_CLUSTER_FEED_H

/*
 * Reads the answers of the API server about a resource: the pages of a list, and the lines of a
 * watch. Copies the few fields that Capstan needs, and nothing else.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/object.h"

enum { FEED_VERSION_SIZE = OBJECT_VERSION_SIZE, FEED_CONTINUE_SIZE = 2048 };

/* The metadata of a list. */
struct feed_page {
    char resource_version[FEED_VERSION_SIZE];
    char continue_token[FEED_CONTINUE_SIZE]; /* empty: this is the last page */
};

typedef void feed_visit(void *context, const struct object *object);

/* Visits each item, with its kind set to `kind`: items of native kinds do not say their own. Skips
   an item without a name or namespace. The metadata may stand before or behind the items. Null
   items are an empty list. ERROR_INVALID if the bytes are not JSON, or no list: no object, no
   items, no resourceVersion. An object that is missing in a list is gone, so nothing else may pass
   for an empty list. ERROR_TOO_LARGE if the continue token does not fit. After an error the caller
   has to forget the visits. */
bool feed_read_page(const char *bytes, size_t size, enum object_kind kind, feed_visit *visit,
                    void *context, struct feed_page *ret_page, struct error *error) MUST_CHECK;

enum feed_event_type {
    FEED_UPSERT, /* ADDED or MODIFIED */
    FEED_DELETED,
    FEED_BOOKMARK,
    FEED_ERROR,   /* with a `code`: after 410 a new list helps */
    FEED_UNKNOWN, /* another type, or an object without a name, namespace or resourceVersion; a
                     bookmark needs only the last */
};

struct feed_event {
    enum feed_event_type type;
    char resource_version[FEED_VERSION_SIZE]; /* of the object or the bookmark; else empty */
    struct object object;                     /* of FEED_UPSERT and FEED_DELETED */
    struct json_text raw;                     /* the object's JSON, borrowed from the line */
    int64_t code;                             /* of FEED_ERROR: that of its Status, or 0 */
    char message[160];                        /* of FEED_ERROR, cut */
};

/* ERROR_INVALID if the line is not JSON. */
bool feed_read_event(const char *line, size_t size, enum object_kind kind,
                     struct feed_event *ret_event, struct error *error) MUST_CHECK;

#endif
