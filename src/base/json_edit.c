// SPDX-License-Identifier: Apache-2.0
#include "base/json_edit.h"

#include <stdio.h>
#include <string.h>

#include "base/json_write.h"

/* The end of a path: a value, or the place for a new one. */
struct spot {
    size_t n_found; /* how many keys of the path are there */
    size_t from;    /* the bytes of the document that are replaced */
    size_t to;
    bool is_member; /* none is: a new member goes into an object here */
    bool is_first;  /* the object has no other */
    bool is_wrong;  /* something stands in the way that is no object */
};

/* The result of looking for a key in an object. */
struct lookup {
    bool is_found;
    struct json_text value; /* of the last member of that key */
    bool is_empty;
    size_t end; /* where a new member would go, in bytes of the object */
};

static struct lookup look_up(struct json_reader *reader, const char *key) {
    struct lookup lookup = {.is_empty = true, .end = json_offset(reader)};
    struct json_text member;
    struct json_text value;
    while (json_next_member(reader, &member)) {
        size_t from = json_offset(reader);
        if (!json_read_raw(reader, &value)) {
            break;
        }
        lookup.is_empty = false;
        lookup.end = from + value.size;
        if (json_text_is(&member, key)) {
            lookup.is_found = true;
            lookup.value = value;
        }
    }
    return lookup;
}

/* Follows the path from the value between spot->from and spot->to. */
static void descend(const char *json, const char *const *keys, size_t n_keys, struct spot *spot) {
    while (spot->n_found < n_keys) {
        struct json_reader reader;
        json_begin(&reader, json + spot->from, spot->to - spot->from);
        if (json_peek(&reader) != JSON_OBJECT) {
            spot->is_wrong = json_peek(&reader) != JSON_NULL;
            return;
        }
        json_enter_object(&reader);
        struct lookup lookup = look_up(&reader, keys[spot->n_found]);
        if (!lookup.is_found) {
            spot->is_member = true;
            spot->is_first = lookup.is_empty;
            spot->from += lookup.end;
            spot->to = spot->from;
            return;
        }
        spot->n_found++;
        spot->from = (size_t)(lookup.value.at - json);
        spot->to = spot->from + lookup.value.size;
    }
}

static bool find_spot(const char *json, size_t size, const char *const *keys, size_t n_keys,
                      struct spot *ret_spot, struct error *error) {
    struct json_reader reader;
    struct json_text root;
    json_begin(&reader, json, size);
    bool is_read = json_read_raw(&reader, &root);
    if (!json_finish(&reader, error) || !is_read) {
        return false;
    }
    *ret_spot = (struct spot){.from = (size_t)(root.at - json)};
    ret_spot->to = ret_spot->from + root.size;
    descend(json, keys, n_keys, ret_spot);
    return true;
}

static bool fail_wrong(const struct spot *spot, const char *const *keys, struct error *error) {
    char path[160];
    size_t size = 0;
    if (spot->n_found == 0) {
        return error_set_at(error, ERROR_INVALID, spot->from, "the document is not an object");
    }
    path[0] = '\0';
    for (size_t i = 0; i < spot->n_found && size < sizeof(path); i++) {
        const char *dot = i > 0 ? "." : "";
        size += (size_t)snprintf(path + size, sizeof(path) - size, "%s%s", dot, keys[i]);
    }
    return error_set_at(error, ERROR_INVALID, spot->from, "'%s' is not an object", path);
}

/* The value, inside the objects that are missing. */
static void add_value(const struct spot *spot, const char *const *keys, size_t n_keys,
                      const char *value, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    if (spot->is_member && !spot->is_first) {
        buffer_add_byte(out, ',');
    }
    for (size_t i = spot->n_found; i < n_keys; i++) {
        if (!spot->is_member || i > spot->n_found) {
            json_write_open(&write, '{');
        }
        json_write_key(&write, keys[i]);
    }
    json_write_raw(&write, value);
    for (size_t i = spot->n_found + spot->is_member; i < n_keys; i++) {
        json_write_close(&write, '}');
    }
}

bool json_edit_add(const char *json, size_t size, const char *const *keys, size_t n_keys,
                   const char *value, struct buffer *out, struct error *error) {
    struct spot spot;
    if (!find_spot(json, size, keys, n_keys, &spot, error)) {
        return false;
    }
    if (spot.is_wrong) {
        return fail_wrong(&spot, keys, error);
    }
    buffer_add(out, json, spot.from);
    add_value(&spot, keys, n_keys, value, out);
    buffer_add(out, json + spot.to, size - spot.to);
    return true;
}

bool json_edit_set(struct buffer *json, const char *const *keys, size_t n_keys, const char *value,
                   struct error *error) {
    struct buffer after;
    buffer_init(&after, json->limit);
    bool is_set = json_edit_add(json->bytes, json->size, keys, n_keys, value, &after, error);
    buffer_fini(is_set ? json : &after);
    if (is_set) {
        *json = after;
    }
    return is_set;
}

bool json_edit_find(const char *json, size_t size, const char *const *keys, size_t n_keys,
                    struct json_text *ret_raw) {
    struct spot spot;
    struct error error;
    if (!find_spot(json, size, keys, n_keys, &spot, &error) || spot.n_found < n_keys) {
        return false;
    }
    *ret_raw = (struct json_text){.at = json + spot.from, .size = spot.to - spot.from};
    return true;
}

bool json_edit_find_text(const char *json, size_t size, const char *const *keys, size_t n_keys,
                         struct json_text *ret_text) {
    struct json_text raw;
    struct json_reader reader;
    if (!json_edit_find(json, size, keys, n_keys, &raw)) {
        return false;
    }
    json_begin(&reader, raw.at, raw.size);
    return json_read_text(&reader, ret_text);
}
