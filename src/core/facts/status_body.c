// SPDX-License-Identifier: Apache-2.0
#include "core/facts/status_body.h"

#include "base/json_edit.h"
#include "core/facts/object.h"

void status_body_apply(const char *api_version, const char *namespace, const char *name,
                       const char *uid, const char *resource_version,
                       const struct condition conditions[CONDITION_TYPE_COUNT],
                       struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", api_version);
    json_write_member_text(&write, "kind", kind_rows[OBJECT_MCPSERVER].kind);
    json_write_member_open(&write, "metadata", '{');
    json_write_member_text(&write, "name", name);
    json_write_member_text(&write, "namespace", namespace);
    if (uid != NULL) {
        json_write_member_text(&write, "uid", uid);
    }
    if (resource_version != NULL) {
        json_write_member_text(&write, "resourceVersion", resource_version);
    }
    json_write_close(&write, '}');
    json_write_member_open(&write, "status", '{');
    json_write_key(&write, "conditions");
    condition_write(&write, conditions);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}

static void copy(struct buffer *out, const struct json_text *raw, const char *behind) {
    buffer_add(out, raw->at, raw->size);
    buffer_add_text(out, behind);
}

/* Copies the members of the next object as they stand, each with a comma behind it. Leaves out
   `dropped`, and `apart`, whose value it returns. */
static void copy_members(struct json_reader *reader, const char *apart, const char *dropped,
                         struct json_text *ret_apart, struct buffer *out) {
    struct json_text key;
    struct json_text value;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key) && json_read_raw(reader, &value)) {
        if (json_text_is(&key, apart)) {
            *ret_apart = value;
        } else if (dropped == NULL || !json_text_is(&key, dropped)) {
            buffer_add_byte(out, '"');
            copy(out, &key, "\":");
            copy(out, &value, ",");
        }
    }
}

static bool is_ours(const struct json_text *raw) {
    struct condition found[CONDITION_TYPE_COUNT] = {{.state = CONDITION_ABSENT}};
    struct json_reader reader;
    json_begin(&reader, raw->at, raw->size);
    condition_read(&reader, found);
    return found[CONDITION_TYPE_STDIO].state != CONDITION_ABSENT ||
           found[CONDITION_TYPE_SESSION_STORAGE].state != CONDITION_ABSENT;
}

/* Copies the conditions of other writers as they stand, and puts ours behind them. */
static void write_conditions(const struct json_text *raw,
                             const struct condition conditions[CONDITION_TYPE_COUNT],
                             struct buffer *out) {
    struct json_reader reader;
    struct json_text item;
    buffer_add_byte(out, '[');
    json_begin(&reader, raw->at, raw->size);
    if (json_enter_array(&reader)) {
        while (json_next_item(&reader) && json_read_raw(&reader, &item)) {
            if (!is_ours(&item)) {
                copy(out, &item, ",");
            }
        }
    }
    AUTO(buffer_fini) struct buffer ours;
    struct json_write write;
    buffer_init(&ours, 4096);
    json_write_begin(&write, &ours);
    condition_write(&write, conditions);
    buffer_add(out, ours.bytes + 1, ours.size - 1); /* without its bracket */
}

static void write_status(const struct json_text *raw,
                         const struct condition conditions[CONDITION_TYPE_COUNT],
                         struct buffer *out) {
    struct json_reader reader;
    struct json_text live = {.at = "[]", .size = 2};
    buffer_add_byte(out, '{');
    json_begin(&reader, raw->at, raw->size);
    copy_members(&reader, "conditions", NULL, &live, out);
    buffer_add_text(out, "\"conditions\":");
    write_conditions(&live, conditions, out);
    buffer_add_byte(out, '}');
}

bool status_body_replace(const char *object, size_t size,
                         const struct condition conditions[CONDITION_TYPE_COUNT],
                         struct buffer *out, struct error *error) {
    static const char *const metadata[] = {"metadata"};
    struct json_reader reader;
    struct json_text found;
    struct json_text status = {.at = "{}", .size = 2};
    buffer_add_byte(out, '{');
    json_begin(&reader, object, size);
    copy_members(&reader, "status", "spec", &status, out);
    if (!json_finish(&reader, error)) {
        return false;
    }
    if (!json_edit_find(object, size, metadata, 1, &found)) {
        return error_set(error, ERROR_INVALID, "an object without metadata");
    }
    buffer_add_text(out, "\"status\":");
    write_status(&status, conditions, out);
    buffer_add_byte(out, '}');
    return true;
}
