// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/discovery.h"

#include <string.h>

#include "base/json_edit.h"
#include "base/json_fields.h"
#include "base/text.h"

/* The versions that this program knows, best first. */
static const char *const known_versions[] = {"v1beta1", "v1alpha1"};

/* Reads a document that must be `kind`, such as "an APIGroup"; its fields set *is_kind if it is. */
static bool read_document(const char *json, size_t size, const struct json_fields *fields,
                          void *into, const bool *is_kind, const char *kind, struct error *error) {
    enum presence presence;
    return json_read_document(json, size, fields, into, &presence, error) &&
           (*is_kind || error_set(error, ERROR_INVALID, "not %s", kind));
}

enum { RANK_PREFERRED, RANK_KNOWN /* and the index of the version */ };

/* The versions in the order of their ranks; those of one rank in the order of the group. */
struct group {
    bool is_group;
    struct json_text preferred;
    struct json_text versions;
    struct discovery discovery;
    size_t ranks[DISCOVERY_VERSIONS_MAX];
};

static size_t rank(const struct group *group, const char *version) {
    if (json_text_is(&group->preferred, version)) {
        return RANK_PREFERRED;
    }
    size_t i = 0;
    while (i < COUNT_OF(known_versions) && strcmp(known_versions[i], version) != 0) {
        i++;
    }
    return RANK_KNOWN + i;
}

static bool has_version(const struct discovery *discovery, const char *version) {
    for (size_t i = 0; i < discovery->n_versions; i++) {
        if (strcmp(discovery->versions[i], version) == 0) {
            return true;
        }
    }
    return false;
}

/* Of more versions than there is room for, the last one in the order goes. */
static void add_version(struct group *group, const char *version) {
    struct discovery *discovery = &group->discovery;
    size_t own_rank = rank(group, version);
    size_t place = discovery->n_versions;
    while (place > 0 && own_rank < group->ranks[place - 1]) {
        place--;
    }
    if (place == DISCOVERY_VERSIONS_MAX) {
        return;
    }
    discovery->n_versions = MIN(discovery->n_versions + 1, (size_t)DISCOVERY_VERSIONS_MAX);
    for (size_t i = discovery->n_versions - 1; i > place; i--) {
        memcpy(discovery->versions[i], discovery->versions[i - 1], DISCOVERY_VERSION_SIZE);
        group->ranks[i] = group->ranks[i - 1];
    }
    text_copy(discovery->versions[place], DISCOVERY_VERSION_SIZE, version);
    group->ranks[place] = own_rank;
}

/* The name of a version becomes a part of paths, unescaped. So it must be a DNS name. */
static void read_group_version(struct json_walk *walk, void *at) {
    struct group_version {
        struct json_text name;
    } item = {.name = {.at = ""}};
    static const struct json_field rows[] = {JSON_VIEW("version", struct group_version, name)};
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct group *group = at;
    char version[DISCOVERY_VERSION_SIZE];
    (void)json_walk_object(walk, &fields, &item);
    if (json_text_copy(&item.name, version, sizeof(version)) && text_is_dns_label(version) &&
        !has_version(&group->discovery, version)) {
        add_version(group, version);
    }
}

/* The preferred version may stand behind the versions, so these are read in a second pass. */
static void read_versions(struct group *group) {
    struct json_reader reader;
    struct json_walk walk = {.reader = &reader};
    json_begin(&reader, group->versions.at, group->versions.size);
    (void)json_walk_items(&walk, read_group_version, group);
}

static const struct json_field preferred_rows[] = {JSON_VIEW("version", struct group, preferred)};
static const struct json_fields preferred_fields = JSON_FIELDS(preferred_rows);

bool discovery_read_group(const char *json, size_t size, struct discovery *ret_discovery,
                          struct error *error) {
    static const struct json_field rows[] = {
        JSON_IS("kind", struct group, is_group, "APIGroup"),
        JSON_INSIDE("preferredVersion", &preferred_fields),
        JSON_RAW("versions", struct group, versions),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct group group = {.preferred = {.at = ""}, .versions = {.at = ""}};
    if (!read_document(json, size, &fields, &group, &group.is_group, "an APIGroup", error)) {
        return false;
    }
    read_versions(&group);
    if (group.discovery.n_versions == 0) {
        return error_set(error, ERROR_NOT_FOUND, "no version of " TOOLHIVE_GROUP " is served");
    }
    *ret_discovery = group.discovery;
    return true;
}

const char *discovery_next(const struct discovery *discovery) {
    bool is_complete = true;
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        is_complete = is_complete && discovery->found[kind] != 0;
    }
    return is_complete || discovery->n_done == discovery->n_versions
               ? NULL
               : discovery->versions[discovery->n_done];
}

struct resources {
    bool is_list;
    bool has[OBJECT_KIND_COUNT];
};

static void read_resource(struct json_walk *walk, void *at) {
    struct resource {
        struct json_text name;
    } resource = {.name = {.at = ""}};
    static const struct json_field rows[] = {JSON_VIEW("name", struct resource, name)};
    static const struct json_fields fields = JSON_FIELDS(rows);
    bool *has = at;
    (void)json_walk_object(walk, &fields, &resource);
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        has[kind] = has[kind] || json_text_is(&resource.name, kind_rows[kind].plural);
    }
}

bool discovery_read_resources(struct discovery *discovery, const char *json, size_t size,
                              struct error *error) {
    static const struct json_field rows[] = {
        JSON_IS("kind", struct resources, is_list, "APIResourceList"),
        JSON_LIST("resources", struct resources, has, read_resource),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct resources resources = {.is_list = false};
    if (!read_document(json, size, &fields, &resources, &resources.is_list, "an APIResourceList",
                       error)) {
        return false;
    }
    discovery->n_done++;
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        if (discovery->found[kind] == 0 && resources.has[kind]) {
            discovery->found[kind] = discovery->n_done;
        }
    }
    return true;
}

void discovery_skip(struct discovery *discovery) {
    discovery->n_done++;
}

const char *discovery_version(const struct discovery *discovery, enum object_kind kind) {
    size_t found = discovery->found[kind];
    return found == 0 ? "" : discovery->versions[found - 1];
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
