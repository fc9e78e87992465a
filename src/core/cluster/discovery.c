// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/discovery.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "core/facts/object.h"

/* The versions that this program knows, best first. */
static const char *const known_versions[] = {"v1beta1", "v1alpha1"};

/* What is looked for in a group. */
struct group {
    bool is_group;
    size_t best; /* index of the best version found, or the count */
};

static void read_group_version(struct json_reader *reader, struct group *group) {
    struct json_text key;
    struct json_text version;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (!json_text_is(&key, "version")) {
            json_skip(reader);
        } else if (json_read_text(reader, &version)) {
            for (size_t i = 0; i < group->best; i++) {
                if (json_text_is(&version, known_versions[i])) {
                    group->best = i;
                }
            }
        }
    }
}

static bool is_text(struct json_reader *reader, const char *expected) {
    struct json_text text;
    return json_read_text(reader, &text) && json_text_is(&text, expected);
}

static void read_group(struct json_reader *reader, struct group *group) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "kind")) {
            group->is_group = is_text(reader, "APIGroup");
        } else if (!json_text_is(&key, "versions")) {
            json_skip(reader);
        } else if (json_enter_array(reader)) {
            while (json_next_item(reader)) {
                read_group_version(reader, group);
            }
        }
    }
}

bool discovery_read_group(const char *json, size_t size, char ret_version[DISCOVERY_VERSION_SIZE],
                          struct error *error) {
    struct group group = {.best = COUNT_OF(known_versions)};
    struct json_reader reader;
    json_begin(&reader, json, size);
    read_group(&reader, &group);
    if (!json_finish(&reader, error)) {
        return false;
    }
    if (!group.is_group) {
        return error_set(error, ERROR_INVALID, "not an APIGroup");
    }
    if (group.best == COUNT_OF(known_versions)) {
        return error_set(error, ERROR_NOT_FOUND, "no version of " TOOLHIVE_GROUP " is known");
    }
    (void)text_copy(ret_version, DISCOVERY_VERSION_SIZE, known_versions[group.best]);
    return true;
}

const char *discovery_next_version(const char *version) {
    for (size_t i = 0; i + 1 < COUNT_OF(known_versions); i++) {
        if (strcmp(known_versions[i], version) == 0) {
            return known_versions[i + 1];
        }
    }
    return NULL;
}

static bool is_servers(struct json_reader *reader) {
    struct json_text key;
    bool is_found = false;
    if (!json_enter_object(reader)) {
        return false;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "name")) {
            is_found = is_text(reader, "mcpservers");
        } else {
            json_skip(reader);
        }
    }
    return is_found;
}

bool discovery_read_resources(const char *json, size_t size, bool *ret_has_servers,
                              struct error *error) {
    struct json_reader reader;
    struct json_text key;
    bool is_list = false;
    *ret_has_servers = false;
    json_begin(&reader, json, size);
    if (json_enter_object(&reader)) {
        while (json_next_member(&reader, &key)) {
            if (json_text_is(&key, "kind")) {
                is_list = is_text(&reader, "APIResourceList");
            } else if (!json_text_is(&key, "resources")) {
                json_skip(&reader);
            } else if (json_enter_array(&reader)) {
                while (json_next_item(&reader)) {
                    *ret_has_servers = is_servers(&reader) || *ret_has_servers;
                }
            }
        }
    }
    return json_finish(&reader, error) &&
           (is_list || error_set(error, ERROR_INVALID, "not an APIResourceList"));
}

/* What is looked for in a definition. A version's name may stand behind its schema, so each version
   is read whole before it counts. */
struct definition {
    const char *version;
    bool is_definition;
    bool is_found;
    bool is_map;
};

/* Whether it is ["type"]. */
static bool is_type_alone(struct json_reader *reader) {
    size_t n_items = 0;
    bool is_type = false;
    if (!json_enter_array(reader)) {
        return false;
    }
    while (json_next_item(reader)) {
        is_type = is_text(reader, "type");
        n_items++;
    }
    return is_type && n_items == 1;
}

/* The schema of status.conditions. */
static bool read_list_type(struct json_reader *reader) {
    struct json_text key;
    bool is_map = false;
    bool is_by_type = false;
    if (!json_enter_object(reader)) {
        return false;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "x-kubernetes-list-type")) {
            is_map = is_text(reader, "map");
        } else if (json_text_is(&key, "x-kubernetes-list-map-keys")) {
            is_by_type = is_type_alone(reader);
        } else {
            json_skip(reader);
        }
    }
    return is_map && is_by_type;
}

/* Steps down the path, which ends with NULL; no deeper than it is long. */
static bool read_list_type_at(struct json_reader *reader, const char *const *path) {
    struct json_text key;
    bool is_map = false;
    if (*path == NULL) {
        return read_list_type(reader);
    }
    if (!json_enter_object(reader)) {
        return false;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, *path)) {
            is_map = read_list_type_at(reader, path + 1);
        } else {
            json_skip(reader);
        }
    }
    return is_map;
}

static void read_definition_version(struct json_reader *reader, struct definition *definition) {
    static const char *const path[] = {"openAPIV3Schema", "properties", "status",
                                       "properties",      "conditions", NULL};
    struct json_text key;
    bool is_named = false;
    bool is_served = false;
    bool is_map = false;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "name")) {
            is_named = is_text(reader, definition->version);
        } else if (json_text_is(&key, "served")) {
            is_served = json_read_bool(reader, &is_served) && is_served;
        } else if (json_text_is(&key, "schema")) {
            is_map = read_list_type_at(reader, path);
        } else {
            json_skip(reader);
        }
    }
    if (is_named && is_served) {
        definition->is_found = true;
        definition->is_map = is_map;
    }
}

static void read_definition_spec(struct json_reader *reader, struct definition *definition) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (!json_text_is(&key, "versions")) {
            json_skip(reader);
        } else if (json_enter_array(reader)) {
            while (json_next_item(reader)) {
                read_definition_version(reader, definition);
            }
        }
    }
}

static void read_definition(struct json_reader *reader, struct definition *definition) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "kind")) {
            definition->is_definition = is_text(reader, "CustomResourceDefinition");
        } else if (json_text_is(&key, "spec")) {
            read_definition_spec(reader, definition);
        } else {
            json_skip(reader);
        }
    }
}

bool discovery_read_definition(const char *json, size_t size, const char *version, bool *ret_is_map,
                               struct error *error) {
    struct definition definition = {.version = version};
    struct json_reader reader;
    json_begin(&reader, json, size);
    read_definition(&reader, &definition);
    if (!json_finish(&reader, error)) {
        return false;
    }
    if (!definition.is_definition) {
        return error_set(error, ERROR_INVALID, "not a CustomResourceDefinition");
    }
    if (!definition.is_found) {
        return error_set(error, ERROR_NOT_FOUND, "version '%s' is not served", version);
    }
    *ret_is_map = definition.is_map;
    return true;
}
