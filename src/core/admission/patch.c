// SPDX-License-Identifier: Apache-2.0
#include "core/admission/patch.h"

#include <string.h>

#include "base/json_edit.h"
#include "base/text.h"

enum { PATH_SIZE = 64, KEYS_MAX = 8 };

static const struct {
    const char *path;
    const char *object; /* the value; NULL if it is a number */
} operations[PATCH_PATH_COUNT] = {
    [PATCH_REPLICAS] = {"/spec/replicas", NULL},
    [PATCH_STRATEGY] = {"/spec/strategy",
                        "{\"type\":\"RollingUpdate\","
                        "\"rollingUpdate\":{\"maxSurge\":0,\"maxUnavailable\":1}}"},
    [PATCH_ROLLING_UPDATE] = {"/spec/strategy/rollingUpdate",
                              "{\"maxSurge\":0,\"maxUnavailable\":1}"},
    [PATCH_MAX_SURGE] = {"/spec/strategy/rollingUpdate/maxSurge", NULL},
    [PATCH_MAX_UNAVAILABLE] = {"/spec/strategy/rollingUpdate/maxUnavailable", NULL},
    [PATCH_GRACE_PERIOD] = {"/spec/template/spec/terminationGracePeriodSeconds", NULL},
};

void patch_set(struct patch *patch, enum patch_path path, int64_t value) {
    patch->has[path] = true;
    patch->values[path] = value;
}

bool patch_is_empty(const struct patch *patch) {
    for (int path = 0; path < PATCH_PATH_COUNT; path++) {
        if (patch->has[path]) {
            return false;
        }
    }
    return true;
}

static void write_value(const struct patch *patch, enum patch_path path, struct json_write *write) {
    if (operations[path].object != NULL) {
        json_write_raw(write, operations[path].object);
    } else {
        json_write_integer(write, patch->values[path]);
    }
}

/* "/spec/replicas" has two keys. None of the paths has anything to unescape. */
static size_t split(enum patch_path path, char text[PATH_SIZE], const char *keys[KEYS_MAX]) {
    size_t n_keys = 0;
    text_copy(text, PATH_SIZE, operations[path].path);
    for (char *at = strchr(text, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        keys[n_keys++] = at + 1;
    }
    return n_keys;
}

static bool edit_one(const struct patch *patch, enum patch_path path, struct buffer *json,
                     struct error *error) {
    AUTO(buffer_fini) struct buffer value;
    struct json_write write;
    char text[PATH_SIZE];
    const char *keys[KEYS_MAX];
    size_t n_keys = split(path, text, keys);
    buffer_init(&value, 256);
    json_write_begin(&write, &value);
    write_value(patch, path, &write);
    return json_edit_set(json, keys, n_keys, buffer_text(&value), error);
}

bool patch_edit(const struct patch *patch, const char *json, size_t size, struct buffer *out,
                struct error *error) {
    AUTO(buffer_fini) struct buffer edited;
    buffer_init(&edited, out->limit);
    buffer_add(&edited, json, size);
    for (int path = 0; path < PATCH_PATH_COUNT; path++) {
        if (patch->has[path] && !edit_one(patch, (enum patch_path)path, &edited, error)) {
            return false;
        }
    }
    buffer_add(out, edited.bytes, edited.size);
    return true;
}

void patch_write(const struct patch *patch, struct json_write *write) {
    json_write_open(write, '[');
    for (int path = 0; path < PATCH_PATH_COUNT; path++) {
        if (!patch->has[path]) {
            continue;
        }
        /* `add` also replaces, so it serves whether the member is there or not. */
        json_write_open(write, '{');
        json_write_member_text(write, "op", "add");
        json_write_member_text(write, "path", operations[path].path);
        json_write_key(write, "value");
        write_value(patch, (enum patch_path)path, write);
        json_write_close(write, '}');
    }
    json_write_close(write, ']');
}
