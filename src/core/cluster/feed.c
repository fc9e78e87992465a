// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/feed.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

/* What is wrong with a page that is sound JSON. */
struct page_faults {
    bool has_items;
    bool is_token_wrong;
    bool is_token_too_long;
};

static void read_version(struct json_reader *reader, char out[FEED_VERSION_SIZE]) {
    struct json_text text;
    out[0] = '\0';
    if (json_read_text(reader, &text)) {
        (void)json_text_copy(&text, out, FEED_VERSION_SIZE);
    }
}

/* A token that is lost would make the rest of the list seem to be gone: no fault is passed over. */
static void read_token(struct json_reader *reader, char out[FEED_CONTINUE_SIZE],
                       struct page_faults *faults) {
    struct json_text text;
    out[0] = '\0';
    faults->is_token_wrong = false;
    faults->is_token_too_long = false;
    if (json_peek(reader) == JSON_NULL) {
        json_skip(reader);
    } else if (json_read_text(reader, &text)) {
        faults->is_token_too_long = !json_text_copy(&text, out, FEED_CONTINUE_SIZE);
    } else {
        faults->is_token_wrong = true;
    }
}

static void read_metadata(struct json_reader *reader, struct feed_page *page,
                          struct page_faults *faults) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "resourceVersion")) {
            read_version(reader, page->resource_version);
        } else if (json_text_is(&key, "continue")) {
            read_token(reader, page->continue_token, faults);
        } else {
            json_skip(reader);
        }
    }
}

/* Names go into paths as they are, so they must be what the API server takes for names. */
static bool is_named(const struct object *object, enum object_kind kind) {
    return text_is_dns_subdomain(object->name) &&
           (kind == OBJECT_OTHER || text_is_dns_label(object->namespace));
}

/* Returns whether there are items, be they null. */
static bool read_items(struct json_reader *reader, enum object_kind kind, feed_visit *visit,
                       void *context) {
    if (json_peek(reader) == JSON_NULL) {
        json_skip(reader);
        return true;
    }
    if (!json_enter_array(reader)) {
        return false;
    }
    while (json_next_item(reader)) {
        struct object object;
        if (object_read(reader, &object) && is_named(&object, kind)) {
            object.kind = kind;
            visit(context, &object);
        }
    }
    return true;
}

static bool check_page(const struct feed_page *page, const struct page_faults *faults,
                       struct error *error) {
    if (!faults->has_items) {
        return error_set(error, ERROR_INVALID, "not a list: it has no items");
    }
    if (page->resource_version[0] == '\0') {
        return error_set(error, ERROR_INVALID, "not a list: it has no metadata.resourceVersion");
    }
    if (faults->is_token_wrong) {
        return error_set(error, ERROR_INVALID, "metadata.continue is not a text");
    }
    if (faults->is_token_too_long) {
        return error_set(error, ERROR_TOO_LARGE, "metadata.continue does not fit %d bytes",
                         FEED_CONTINUE_SIZE - 1);
    }
    return true;
}

bool feed_read_page(const char *bytes, size_t size, enum object_kind kind, feed_visit *visit,
                    void *context, struct feed_page *ret_page, struct error *error) {
    struct feed_page page = {.resource_version = ""};
    struct page_faults faults = {.has_items = false};
    struct json_reader reader;
    struct json_text key;
    json_begin(&reader, bytes, size);
    if (json_enter_object(&reader)) {
        while (json_next_member(&reader, &key)) {
            if (json_text_is(&key, "items")) {
                faults.has_items = read_items(&reader, kind, visit, context);
            } else if (json_text_is(&key, "metadata")) {
                read_metadata(&reader, &page, &faults);
            } else {
                json_skip(&reader);
            }
        }
    }
    if (!json_finish(&reader, error) || !check_page(&page, &faults, error)) {
        return false;
    }
    *ret_page = page;
    return true;
}

/* The two members of a line of a watch. The object is read only once its type is known, which may
   stand behind it. */
struct line {
    struct json_text type;
    struct json_text object; /* as it stands there */
};

static bool read_line(const char *bytes, size_t size, struct line *line, struct error *error) {
    struct json_reader reader;
    struct json_text key;
    *line = (struct line){.type = {.at = ""}, .object = {.at = "null", .size = 4}};
    json_begin(&reader, bytes, size);
    if (json_enter_object(&reader)) {
        while (json_next_member(&reader, &key)) {
            if (json_text_is(&key, "type")) {
                (void)json_read_text(&reader, &line->type);
            } else if (json_text_is(&key, "object")) {
                (void)json_read_raw(&reader, &line->object);
            } else {
                json_skip(&reader);
            }
        }
    }
    return json_finish(&reader, error);
}

static enum feed_event_type event_type(const struct json_text *text) {
    static const struct {
        const char *text;
        enum feed_event_type type;
    } types[] = {
        {"ADDED", FEED_UPSERT},      {"MODIFIED", FEED_UPSERT}, {"DELETED", FEED_DELETED},
        {"BOOKMARK", FEED_BOOKMARK}, {"ERROR", FEED_ERROR},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (json_text_is(text, types[i].text)) {
            return types[i].type;
        }
    }
    return FEED_UNKNOWN;
}

/* Copies what fits, and no part of a character. */
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

static void read_status(struct json_reader *reader, struct feed_event *event) {
    struct json_text key;
    struct json_text text;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "code")) {
            if (!json_read_integer(reader, &event->code)) {
                event->code = 0;
            }
        } else if (!json_text_is(&key, "message")) {
            json_skip(reader);
        } else if (json_read_text(reader, &text)) {
            copy_cut(&text, event->message, sizeof(event->message));
        }
    }
}

/* Returns whether the object has what its type of event needs. */
static bool read_object(struct json_reader *reader, enum object_kind kind,
                        struct feed_event *event) {
    struct object *object = &event->object;
    if (!object_read(reader, object) || object->resource_version[0] == '\0') {
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
    struct line parts;
    struct json_reader reader;
    if (!read_line(line, size, &parts, error)) {
        return false;
    }
    *ret_event = (struct feed_event){.type = event_type(&parts.type), .raw = parts.object};
    json_begin(&reader, parts.object.at, parts.object.size);
    if (ret_event->type == FEED_ERROR) {
        read_status(&reader, ret_event);
    } else if (ret_event->type != FEED_UNKNOWN && !read_object(&reader, kind, ret_event)) {
        *ret_event = (struct feed_event){.type = FEED_UNKNOWN};
    }
    return true;
}
