// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/discovery.h"

#include <string.h>

#include "base/json_edit.h"
#include "base/json_fields.h"
#include "base/text.h"
#include "core/facts/object.h"

/* The versions that this program knows, best first. */
static const char *const known_versions[] = {"v1beta1", "v1alpha1"};

/* Reads a document that must be `kind`, such as "an APIGroup"; its fields set *is_kind if it is. */
static bool read_document(const char *json, size_t size, const struct json_fields *fields,
                          void *into, const bool *is_kind, const char *kind, struct error *error) {
    enum presence presence;
    return json_read_document(json, size, fields, into, &presence, error) &&
           (*is_kind || error_set(error, ERROR_INVALID, "not %s", kind));
}

struct group {
    bool is_group;
    size_t best; /* index of the best version found, or the count */
};

static void read_group_version(struct json_walk *walk, void *at) {
    struct version {
        struct json_text name;
    } version = {.name = {.at = ""}};
    static const struct json_field rows[] = {JSON_VIEW("version", struct version, name)};
    static const struct json_fields fields = JSON_FIELDS(rows);
    size_t *best = at;
    (void)json_walk_object(walk, &fields, &version);
    for (size_t i = 0; i < *best; i++) {
        if (json_text_is(&version.name, known_versions[i])) {
            *best = i;
        }
    }
}

bool discovery_read_group(const char *json, size_t size, char ret_version[DISCOVERY_VERSION_SIZE],
                          struct error *error) {
    static const struct json_field rows[] = {
        JSON_IS("kind", struct group, is_group, "APIGroup"),
        JSON_LIST("versions", struct group, best, read_group_version),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct group group = {.best = COUNT_OF(known_versions)};
    if (!read_document(json, size, &fields, &group, &group.is_group, "an APIGroup", error)) {
        return false;
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

struct resources {
    bool is_list;
    bool has_servers;
};

static void read_resource(struct json_walk *walk, void *at) {
    static const struct json_field rows[] = {
        JSON_IS("name", struct resources, has_servers, "mcpservers"),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct resources item = {.has_servers = false};
    bool *has_servers = at;
    (void)json_walk_object(walk, &fields, &item);
    *has_servers = *has_servers || item.has_servers;
}

bool discovery_read_resources(const char *json, size_t size, bool *ret_has_servers,
                              struct error *error) {
    static const struct json_field rows[] = {
        JSON_IS("kind", struct resources, is_list, "APIResourceList"),
        JSON_LIST("resources", struct resources, has_servers, read_resource),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct resources resources = {.is_list = false};
    bool is_read = read_document(json, size, &fields, &resources, &resources.is_list,
                                 "an APIResourceList", error);
    *ret_has_servers = resources.has_servers;
    return is_read;
}

/* The keys of a list of type map. */
struct map_keys {
    size_t n;
    bool is_last_type;
};

static void read_map_key(struct json_walk *walk, void *at) {
    struct map_keys *keys = at;
    struct json_text text;
    keys->is_last_type = json_read_text(walk->reader, &text) && json_text_is(&text, "type");
    keys->n++;
}

/* The schema of status.conditions. */
struct conditions {
    bool is_map;
    struct map_keys keys;
};

static bool is_map_by_type(const struct json_text *schema) {
    static const char *const path[] = {"openAPIV3Schema", "properties", "status", "properties",
                                       "conditions"};
    static const struct json_field rows[] = {
        JSON_LIST("x-kubernetes-list-map-keys", struct conditions, keys, read_map_key),
        JSON_IS("x-kubernetes-list-type", struct conditions, is_map, "map"),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct conditions conditions = {.is_map = false};
    struct json_reader reader;
    struct json_text found;
    if (!json_edit_find(schema->at, schema->size, path, COUNT_OF(path), &found)) {
        return false;
    }
    json_begin(&reader, found.at, found.size);
    (void)json_read_fields(&reader, &fields, &conditions);
    return conditions.is_map && conditions.keys.n == 1 && conditions.keys.is_last_type;
}

/* The version that is looked for. */
struct wanted {
    const char *version;
    bool is_found;
    bool is_map;
};

struct definition {
    bool is_definition;
    struct wanted wanted;
};

/* An item of spec.versions. Its name may stand behind its schema. */
struct definition_version {
    struct json_text name;
    struct json_text schema;
    bool is_served;
};

static void read_definition_version(struct json_walk *walk, void *at) {
    static const struct json_field rows[] = {
        JSON_VIEW("name", struct definition_version, name),
        JSON_RAW("schema", struct definition_version, schema),
        JSON_BOOL("served", struct definition_version, is_served),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct definition_version version = {.name = {.at = ""}, .schema = {.at = ""}};
    struct wanted *wanted = at;
    (void)json_walk_object(walk, &fields, &version);
    if (version.is_served && json_text_is(&version.name, wanted->version)) {
        wanted->is_found = true;
        wanted->is_map = is_map_by_type(&version.schema);
    }
}

static const struct json_field definition_spec_rows[] = {
    JSON_LIST("versions", struct definition, wanted, read_definition_version),
};
static const struct json_fields definition_spec_fields = JSON_FIELDS(definition_spec_rows);

static const struct json_field definition_rows[] = {
    JSON_IS("kind", struct definition, is_definition, "CustomResourceDefinition"),
    JSON_INSIDE("spec", &definition_spec_fields),
};
static const struct json_fields definition_fields = JSON_FIELDS(definition_rows);

bool discovery_read_definition(const char *json, size_t size, const char *version, bool *ret_is_map,
                               struct error *error) {
    struct definition definition = {.wanted = {.version = version}};
    if (!read_document(json, size, &definition_fields, &definition, &definition.is_definition,
                       "a CustomResourceDefinition", error)) {
        return false;
    }
    if (!definition.wanted.is_found) {
        return error_set(error, ERROR_NOT_FOUND, "version '%s' is not served", version);
    }
    *ret_is_map = definition.wanted.is_map;
    return true;
}
