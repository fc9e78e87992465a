// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/feed.h"

#include <string.h>

#include "base/json_fields.h"
#include "base/memory.h"
#include "base/text.h"

/* A page that is being read, and what is wrong with it if it is sound JSON. */
struct reading {
    struct feed_page page;
    enum object_kind kind;
    feed_visit *visit;
    void *context;
    bool has_items;
    bool is_token_wrong;
    bool is_token_too_long;
};

/* Without its token the rest of the list would seem to be gone: every fault counts. */
static void read_token(struct json_walk *walk, void *at) {
    struct reading *reading = at;
    char *token = reading->page.continue_token;
    bool is_text = json_peek(walk->reader) == JSON_STRING;
    bool is_lost = json_walk_text(walk, token, FEED_CONTINUE_SIZE) == PRESENCE_UNUSABLE;
    reading->is_token_wrong = is_lost && !is_text;
    reading->is_token_too_long = is_lost && is_text;
}

/* Names go into paths as they are, so they must be names by the rules of the API server. */
static bool is_named(const struct object *object, enum object_kind kind) {
    return text_is_dns_subdomain(object->name) &&
           (kind == OBJECT_OTHER || text_is_dns_label(object->namespace));
}

static void read_item(struct json_walk *walk, void *at) {
    const struct reading *reading = at;
    struct object object;
    if (object_read_watched(walk->reader, &object) && is_named(&object, reading->kind)) {
        object.kind = reading->kind;
        reading->visit(reading->context, &object);
    }
}

/* Items may be null. */
static void read_items(struct json_walk *walk, void *at) {
    struct reading *reading = at;
    reading->has_items = json_walk_items(walk, read_item, reading) != PRESENCE_UNUSABLE;
}

static const struct json_field list_metadata_rows[] = {
    JSON_TEXT("resourceVersion", struct reading, page.resource_version),
    JSON_READ_WHOLE("continue", read_token),
};
static const struct json_fields list_metadata_fields = JSON_FIELDS(list_metadata_rows);

static const struct json_field page_rows[] = {
    JSON_INSIDE("metadata", &list_metadata_fields),
    JSON_READ_WHOLE("items", read_items),
};
static const struct json_fields page_fields = JSON_FIELDS(page_rows);

static bool check_page(const struct reading *reading, struct error *error) {
    if (!reading->has_items) {
        return error_set(error, ERROR_INVALID, "not a list: it has no items");
    }
    if (reading->page.resource_version[0] == '\0') {
        return error_set(error, ERROR_INVALID, "not a list: it has no metadata.resourceVersion");
    }
    if (reading->is_token_wrong) {
        return error_set(error, ERROR_INVALID, "metadata.continue is not a text");
    }
    if (reading->is_token_too_long) {
        return error_set(error, ERROR_TOO_LARGE, "metadata.continue does not fit %d bytes",
                         FEED_CONTINUE_SIZE - 1);
    }
    return true;
}

bool feed_read_page(const char *bytes, size_t size, enum object_kind kind, feed_visit *visit,
                    void *context, struct feed_page *ret_page, struct error *error) {
    struct reading reading = {.kind = kind, .visit = visit, .context = context};
    enum presence presence;
    if (!json_read_document(bytes, size, &page_fields, &reading, &presence, error) ||
        !check_page(&reading, error)) {
        return false;
    }
    *ret_page = reading.page;
    return true;
}

/* A line of a watch. The object cannot be read before its type is known, and the type may come
   second. */
struct line {
    enum feed_event_type type;
    struct json_text object;
};

static const struct json_word types[] = {
    {"ADDED", FEED_UPSERT},      {"MODIFIED", FEED_UPSERT}, {"DELETED", FEED_DELETED},
    {"BOOKMARK", FEED_BOOKMARK}, {"ERROR", FEED_ERROR},     {NULL, FEED_UNKNOWN},
};

static const struct json_field line_rows[] = {
    JSON_WORD("type", struct line, type, types, NULL),
    JSON_RAW("object", struct line, object),
};
static const struct json_fields line_fields = JSON_FIELDS(line_rows);

/* Cuts the text if it does not fit, between two characters. */
static void copy_cut(const struct json_text *text, char *out, size_t capacity) {
    AUTO_FREE char *whole = memory_new(text->size + 1, 1);
    (void)json_text_copy(text, whole, text->size + 1);
    if (!text_copy(out, capacity, whole)) {
        size_t size = capacity - 1;
        while (size > 0 && ((unsigned char)whole[size] & 0xC0) == 0x80) {
            size--;
        }
        out[size] = '\0';
    }
}

/* A Status, the object of FEED_ERROR. */
struct status {
    int64_t code;
    struct json_text message;
};

static void read_status(struct json_reader *reader, struct feed_event *event) {
    static const struct json_field rows[] = {
        JSON_INTEGER("code", struct status, code, INT64_MIN, INT64_MAX),
        JSON_VIEW("message", struct status, message),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct status status = {.message = {.at = ""}};
    (void)json_read_fields(reader, &fields, &status);
    event->code = status.code;
    copy_cut(&status.message, event->message, sizeof(event->message));
}

/* Returns false if the object lacks something that its type of event needs. */
static bool read_object(struct json_reader *reader, enum object_kind kind,
                        struct feed_event *event) {
    struct object *object = &event->object;
    if (!object_read_watched(reader, object) || object->resource_version[0] == '\0') {
        return false;
    }
    if (event->type != FEED_BOOKMARK && !is_named(object, kind)) {
        return false;
    }
    object->kind = kind;
    memcpy(event->resource_version, object->resource_version, sizeof(event->resource_version));
    return true;
}

bool feed_read_event(const char *line, size_t size, enum object_kind kind,
                     struct feed_event *ret_event, struct error *error) {
    struct line found = {.type = FEED_UNKNOWN, .object = {.at = ""}};
    struct json_reader reader;
    enum presence presence;
    if (!json_read_document(line, size, &line_fields, &found, &presence, error)) {
        return false;
    }
    *ret_event = (struct feed_event){.type = found.type, .raw = found.object};
    json_begin(&reader, found.object.at, found.object.size);
    if (ret_event->type == FEED_ERROR) {
        read_status(&reader, ret_event);
    } else if (ret_event->type != FEED_UNKNOWN && !read_object(&reader, kind, ret_event)) {
        *ret_event = (struct feed_event){.type = FEED_UNKNOWN};
    }
    return true;
}
