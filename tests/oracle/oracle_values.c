// SPDX-License-Identifier: Apache-2.0
#include "oracle_parts.h"

#include <string.h>

#include "limits.h"
#include "tree.h"

const char *const oracle_kinds[FAMILY] = {"MCPServer", "MCPRemoteProxy", "VirtualMCPServer"};
const char *const oracle_labels[FAMILY] = {"mcpserver", "mcpremoteproxy", "virtualmcpserver"};

struct text oracle_text(const cJSON *node, size_t limit) {
    if (node == NULL || cJSON_IsNull(node)) {
        return (struct text){ABSENT, ""};
    }
    if (!cJSON_IsString(node) || strlen(node->valuestring) > limit ||
        strstr(node->valuestring, TREE_NUL) != NULL) {
        return (struct text){UNUSABLE, ""};
    }
    return (struct text){SET, node->valuestring};
}

struct integer oracle_integer(const cJSON *node, int64_t low, int64_t high) {
    if (node == NULL || cJSON_IsNull(node)) {
        return (struct integer){ABSENT, 0};
    }
    if (!cJSON_IsNumber(node) || !(node->valuedouble >= (double)low) ||
        !(node->valuedouble <= (double)high) ||
        (double)(int64_t)node->valuedouble != node->valuedouble) {
        return (struct integer){UNUSABLE, 0};
    }
    return (struct integer){SET, (int64_t)node->valuedouble};
}

enum state oracle_object(const cJSON *node) {
    if (node == NULL || cJSON_IsNull(node)) {
        return ABSENT;
    }
    return cJSON_IsObject(node) ? SET : UNUSABLE;
}

bool oracle_is_deleting(const cJSON *object) {
    const cJSON *since = tree_at(object, "metadata", "deletionTimestamp", NULL);
    return since != NULL && !cJSON_IsNull(since);
}

bool oracle_is_group(const char *api_version, const char *group) {
    const char *slash = strchr(api_version, '/');
    return slash != NULL && (size_t)(slash - api_version) == strlen(group) &&
           strncmp(api_version, group, strlen(group)) == 0;
}

/* The CRD's default is stdio. The other kinds have no such transport, whatever they say. */
struct server oracle_server(const cJSON *object, enum family kind) {
    struct text transport = oracle_text(tree_at(object, "spec", "transport", NULL), LIMIT_WORD);
    struct text uid = oracle_text(tree_at(object, "metadata", "uid", NULL), LIMIT_UID);
    struct integer generation =
        oracle_integer(tree_at(object, "metadata", "generation", NULL), 0, INT32_MAX);
    return (struct server){
        .is_there = true,
        .kind = kind,
        .is_stdio = kind == MCPSERVER &&
                    (transport.state == ABSENT || strcmp(transport.value, "stdio") == 0),
        .is_deleting = oracle_is_deleting(object),
        .replicas = oracle_replicas(object),
        .generation = generation.value,
        .uid = uid.value,
        .name = oracle_text(tree_at(object, "metadata", "name", NULL), LIMIT_NAME),
    };
}

const cJSON *oracle_find(const cJSON *list, const char *group, const char *kind,
                         const char *namespace, const char *name) {
    const cJSON *object;
    cJSON_ArrayForEach(object, list) {
        struct text its_kind = oracle_text(tree_at(object, "kind", NULL), LIMIT_KIND);
        struct text version = oracle_text(tree_at(object, "apiVersion", NULL), LIMIT_API_VERSION);
        struct text its = oracle_text(tree_at(object, "metadata", "name", NULL), LIMIT_NAME);
        struct text where = oracle_text(tree_at(object, "metadata", "namespace", NULL), LIMIT_NAME);
        if (oracle_is_group(version.value, group) && strcmp(its_kind.value, kind) == 0 &&
            strcmp(its.value, name) == 0 && strcmp(where.value, namespace) == 0) {
            return object;
        }
    }
    return NULL;
}

struct server oracle_find_server(const cJSON *facts, enum family kind, const char *namespace,
                                 const char *name) {
    struct server none = {.kind = kind, .uid = ""};
    const cJSON *object = oracle_find(facts, TOOLHIVE, oracle_kinds[kind], namespace, name);
    return object == NULL ? none : oracle_server(object, kind);
}

struct integer oracle_replicas(const cJSON *object) {
    return oracle_integer(tree_at(object, "spec", "replicas", NULL), 0, INT32_MAX);
}

bool oracle_exceeds(struct integer integer, int64_t limit) {
    return integer.state == SET && integer.value > limit;
}

bool oracle_is(struct integer integer, int64_t value) {
    return integer.state == SET && integer.value == value;
}
