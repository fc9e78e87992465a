// SPDX-License-Identifier: Apache-2.0
#include "core/facts/status_body.h"

#include "core/facts/object.h"

void status_body_apply(const char *api_version, const char *namespace, const char *name,
                       const struct condition conditions[CONDITION_TYPE_COUNT],
                       struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", api_version);
    json_write_member_text(&write, "kind", MCPSERVER_KIND);
    json_write_member_open(&write, "metadata", '{');
    json_write_member_text(&write, "name", name);
    json_write_member_text(&write, "namespace", namespace);
    json_write_close(&write, '}');
    json_write_member_open(&write, "status", '{');
    json_write_key(&write, "conditions");
    condition_write(&write, conditions);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}

/* Copies a member or an item, byte by byte, with a comma before all but the first. */
static void copy_raw(struct buffer *out, bool *is_first, const struct json_text *key,
                     const struct json_text *value) {
    buffer_add_text(out, *is_first ? "" : ",");
    *is_first = false;
    if (key != NULL) {
        buffer_add_byte(out, '"');
        buffer_add(out, key->at, key->size);
        buffer_add_text(out, "\":");
    }
    buffer_add(out, value->at, value->size);
}

static bool is_ours(const struct json_text *raw) {
    struct condition found[CONDITION_TYPE_COUNT] = {{.state = CONDITION_ABSENT}};
    struct json_reader reader;
    json_begin(&reader, raw->at, raw->size);
    condition_read(&reader, found);
    return found[CONDITION_TYPE_STDIO].state != CONDITION_ABSENT ||
           found[CONDITION_TYPE_SESSION_STORAGE].state != CONDITION_ABSENT;
}

/* Copies the conditions of others, byte by byte, and appends ours. */
static void write_conditions(const struct json_text *raw,
                             const struct condition conditions[CONDITION_TYPE_COUNT],
                             struct buffer *out) {
    struct json_reader reader;
    struct json_text item;
    bool is_first = true;
    buffer_add_byte(out, '[');
    json_begin(&reader, raw->at, raw->size);
    if (json_enter_array(&reader)) {
        while (json_next_item(&reader) && json_read_raw(&reader, &item)) {
            if (!is_ours(&item)) {
                copy_raw(out, &is_first, NULL, &item);
            }
        }
    }
    AUTO(buffer_fini) struct buffer ours;
    struct json_write write;
    buffer_init(&ours, 4096);
    json_write_begin(&write, &ours);
    condition_write(&write, conditions);
    const struct json_text inner = {.at = ours.bytes + 1, .size = ours.size - 2};
    copy_raw(out, &is_first, NULL, &inner);
    buffer_add_byte(out, ']');
}

static void write_status(const struct json_text *raw,
                         const struct condition conditions[CONDITION_TYPE_COUNT],
                         struct buffer *out) {
    struct json_reader reader;
    struct json_text key;
    struct json_text value;
    struct json_text live = {.at = "[]", .size = 2};
    bool is_first = true;
    buffer_add_byte(out, '{');
    json_begin(&reader, raw->at, raw->size);
    if (json_enter_object(&reader)) {
        while (json_next_member(&reader, &key) && json_read_raw(&reader, &value)) {
            if (json_text_is(&key, "conditions")) {
                live = value;
            } else {
                copy_raw(out, &is_first, &key, &value);
            }
        }
    }
    buffer_add_text(out, is_first ? "\"conditions\":" : ",\"conditions\":");
    write_conditions(&live, conditions, out);
    buffer_add_byte(out, '}');
}

bool status_body_replace(const char *object, size_t size,
                         const struct condition conditions[CONDITION_TYPE_COUNT],
                         struct buffer *out, struct error *error) {
    struct json_reader reader;
    struct json_text key;
    struct json_text value;
    struct json_text status = {.at = "{}", .size = 2};
    bool is_first = true;
    bool has_metadata = false;
    buffer_add_byte(out, '{');
    json_begin(&reader, object, size);
    if (json_enter_object(&reader)) {
        while (json_next_member(&reader, &key) && json_read_raw(&reader, &value)) {
            has_metadata = has_metadata || json_text_is(&key, "metadata");
            if (json_text_is(&key, "status")) {
                status = value;
            } else if (!json_text_is(&key, "spec")) {
                copy_raw(out, &is_first, &key, &value);
            }
        }
    }
    if (!json_finish(&reader, error)) {
        return false;
    }
    if (!has_metadata) {
        return error_set(error, ERROR_INVALID, "an object without metadata");
    }
    buffer_add_text(out, ",\"status\":");
    write_status(&status, conditions, out);
    buffer_add_byte(out, '}');
    return true;
}
