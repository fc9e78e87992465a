// SPDX-License-Identifier: Apache-2.0
#include "core/patch.h"

static const struct {
    const char *path;
    const char *object; /* the value, where it is not a number */
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
        if (operations[path].object != NULL) {
            json_write_raw(write, operations[path].object);
        } else {
            json_write_integer(write, patch->values[path]);
        }
        json_write_close(write, '}');
    }
    json_write_close(write, ']');
}
