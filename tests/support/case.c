// SPDX-License-Identifier: Apache-2.0
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "core/offline/manifest.h"
#include "document.h"

#define DEFAULT_NOW "2026-11-22T12:00:00Z"

static _Noreturn void reject(const char *path, const char *problem) {
    fprintf(stderr, "%s: %s\n", path, problem);
    exit(1);
}

static const char *text_of(const cJSON *object, const char *key, const char *otherwise) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(value) ? value->valuestring : otherwise;
}

static void check_keys(const char *path, const cJSON *object, const char *const *known) {
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], item->string) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            fprintf(stderr, "key '%s': ", item->string);
            reject(path, "not known in a case");
        }
    }
}

static void put_object(void *context, const struct object *object, size_t offset) {
    (void)offset;
    facts_put(context, object);
}

void case_put_facts(struct facts *facts, const char *json) {
    struct error error;
    size_t n_others;
    for (int kind = OBJECT_OTHER + 1; kind < OBJECT_KIND_COUNT; kind++) {
        if (facts_keep((enum object_kind)kind)) {
            facts_begin_round(facts, (enum object_kind)kind);
        }
    }
    if (!manifest_read(json, strlen(json), put_object, facts, &n_others, &error)) {
        reject("facts", error.text);
    }
}

static void read_facts(struct golden_case *golden) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(golden->document, "facts");
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        char *json = cJSON_PrintUnformatted(item);
        case_put_facts(golden->facts, json);
        free(json);
    }
}

static void read_policy(struct golden_case *golden) {
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(golden->document, "policy");
    cJSON *document = given == NULL ? cJSON_CreateObject() : cJSON_Duplicate(given, true);
    struct error error;
    cJSON_AddStringToObject(document, "apiVersion", POLICY_API_VERSION);
    cJSON_AddStringToObject(document, "kind", POLICY_KIND);
    char *json = cJSON_PrintUnformatted(document);
    if (!policy_decode(json, strlen(json), &golden->policy, &error)) {
        reject(golden->path, error.text);
    }
    free(json);
    cJSON_Delete(document);
}

/* The object that gives names, kinds and namespaces if the case does not. */
static cJSON *find_model(const cJSON *request) {
    const cJSON *raw = cJSON_GetObjectItemCaseSensitive(request, "objectJSON");
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(request, "object");
    const cJSON *old = cJSON_GetObjectItemCaseSensitive(request, "oldObject");
    if (raw != NULL) {
        return cJSON_Parse(raw->valuestring);
    }
    return cJSON_Duplicate(object != NULL ? object : old, true);
}

static cJSON *make_names(const char *api_version, const char *what, const char *name) {
    cJSON *names = cJSON_CreateObject();
    const char *slash = strchr(api_version, '/');
    char group[128] = "";
    if (slash != NULL) {
        snprintf(group, sizeof(group), "%.*s", (int)(slash - api_version), api_version);
    }
    cJSON_AddStringToObject(names, "group", group);
    cJSON_AddStringToObject(names, "version", slash != NULL ? slash + 1 : api_version);
    cJSON_AddStringToObject(names, what, name);
    return names;
}

static cJSON *make_resource(const char *api_version, const char *kind) {
    if (strcmp(kind, "Scale") == 0) {
        return make_names("apps/v1", "resource", "deployments");
    }
    for (int i = OBJECT_OTHER + 1; i < OBJECT_KIND_COUNT; i++) {
        if (strcmp(kind, kind_rows[i].kind) == 0) {
            return make_names(api_version, "resource", kind_rows[i].plural);
        }
    }
    return make_names(api_version, "resource",
                      strcmp(kind, "StatefulSet") == 0 ? "statefulsets" : kind);
}

static void add_given_or(cJSON *out, const cJSON *request, const char *key,
                         cJSON *owned_otherwise) {
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(request, key);
    if (given != NULL) {
        cJSON_Delete(owned_otherwise);
        cJSON_AddItemToObject(out, key, cJSON_Duplicate(given, true));
    } else if (owned_otherwise != NULL) {
        cJSON_AddItemToObject(out, key, owned_otherwise);
    }
}

static void add_object(cJSON *out, const cJSON *request, const char *key, const char *raw_key) {
    const cJSON *raw = cJSON_GetObjectItemCaseSensitive(request, raw_key);
    if (raw != NULL) {
        cJSON_AddRawToObject(out, key, raw->valuestring);
    } else {
        add_given_or(out, request, key, cJSON_CreateNull());
    }
}

static cJSON *make_request(const cJSON *given) {
    cJSON *model = find_model(given);
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(model, "metadata");
    const char *api_version = text_of(model, "apiVersion", "v1");
    const char *kind = text_of(model, "kind", "Unknown");
    const char *name = text_of(metadata, "name", NULL);
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "uid", "4912ced4-3c55-4d61-95ca-c6210824597e");
    add_given_or(request, given, "kind", make_names(api_version, "kind", kind));
    add_given_or(request, given, "resource", make_resource(api_version, kind));
    bool is_scale = strcmp(kind, "Scale") == 0;
    add_given_or(request, given, "subResource", is_scale ? cJSON_CreateString("scale") : NULL);
    add_given_or(request, given, "name", name == NULL ? NULL : cJSON_CreateString(name));
    add_given_or(request, given, "namespace",
                 cJSON_CreateString(text_of(metadata, "namespace", "default")));
    cJSON_AddStringToObject(request, "operation", text_of(given, "operation", "CREATE"));
    cJSON *user = cJSON_AddObjectToObject(request, "userInfo");
    cJSON_AddStringToObject(user, "username", text_of(given, "user", "admin"));
    add_object(request, given, "object", "objectJSON");
    add_object(request, given, "oldObject", "oldObjectJSON");
    cJSON_AddBoolToObject(request, "dryRun", false);
    cJSON_Delete(model);
    return request;
}

static void make_review(struct golden_case *golden) {
    static const char *const known[] = {"operation", "subResource", "resource",      "kind",
                                        "name",      "namespace",   "user",          "object",
                                        "oldObject", "objectJSON",  "oldObjectJSON", NULL};
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(golden->document, "request");
    cJSON *review = cJSON_CreateObject();
    check_keys(golden->path, given, known);
    cJSON_AddStringToObject(review, "kind", "AdmissionReview");
    cJSON_AddStringToObject(review, "apiVersion", "admission.k8s.io/v1");
    cJSON_AddItemToObject(review, "request", make_request(given));
    golden->review = cJSON_PrintUnformatted(review);
    cJSON_Delete(review);
}

struct golden_case *case_load(const char *root, const char *path) {
    static const char *const known[] = {"row", "now", "facts", "policy", "request", "expect", NULL};
    static const char *const known_expect[] = {"allowed",  "code",  "message", "patch",
                                               "warnings", "audit", "status",  NULL};
    AUTO(document_file_fini) struct document_file file = {.path = NULL};
    struct golden_case *golden = memory_new(1, sizeof(*golden));
    struct error error;
    if (!document_file_read(path, &file, &error) || file.n_documents != 1) {
        reject(path, file.n_documents > 1 ? "more than one document" : error.text);
    }
    golden->path = memory_copy(path + strlen(root) + 1, strlen(path) - strlen(root) - 6);
    golden->document =
        cJSON_ParseWithLength(file.documents[0].json.bytes, file.documents[0].json.size);
    check_keys(path, golden->document, known);
    golden->expect = cJSON_GetObjectItemCaseSensitive(golden->document, "expect");
    check_keys(path, golden->expect, known_expect);
    golden->facts = facts_new();
    if (!text_parse_time(text_of(golden->document, "now", DEFAULT_NOW), &golden->now)) {
        reject(path, "now is not a time");
    }
    read_facts(golden);
    read_policy(golden);
    make_review(golden);
    return golden;
}

void case_free(struct golden_case *golden) {
    facts_free(golden->facts);
    policy_free(golden->policy);
    cJSON_Delete(golden->document);
    free(golden->review);
    free(golden->path);
    free(golden);
}

bool case_warning_is(const char *text, const char *expected) {
    size_t size = strlen(expected);
    return strstr(expected, ": ") != NULL
               ? strcmp(text, expected) == 0
               : strncmp(text, expected, size) == 0 && strncmp(text + size, ": ", 2) == 0;
}
