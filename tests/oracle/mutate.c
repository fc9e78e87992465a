// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "limits.h"
#include "tree.h"
#include "trial.h"

#define NAME_LABEL      "app.kubernetes.io/name"
#define INSTANCE_LABEL  "app.kubernetes.io/instance"
#define GENERATION_NOTE "toolhive.stacklok.dev/mcpserver-generation"

/* ---- values ---- */

cJSON *long_text(size_t size) {
    AUTO_FREE char *text = memory_new(size + 1, 1);
    memset(text, 'x', size);
    return cJSON_CreateString(text);
}

/* JSON as it stands, for numbers that cJSON would write differently. */
static cJSON *raw(const char *json) {
    return cJSON_CreateRaw(json);
}

cJSON *random_count(struct chance *chance) {
    static const char *const counts[] = {"0", "1", "2", "2",   "3",          "3",    "5",
                                         "5", "5", "7", "1e3", "2147483647", "null", "1.0"};
    return raw(CHANCE_PICK(chance, counts));
}

cJSON *random_wrong_count(struct chance *chance) {
    static const char *const counts[] = {"-1",     "1.5",  "\"2\"",      "true",
                                         "[]",     "{}",   "2147483648", "1e400",
                                         "-1e400", "1e10", "\"\"",       "99999999999999999999"};
    return raw(CHANCE_PICK(chance, counts));
}

static cJSON *random_grace(struct chance *chance) {
    static const char *const periods[] = {"0",  "1",    "29",     "29",   "30",    "31",
                                          "60", "null", "1e2",    "30.0", "-1",    "59",
                                          "30", "29",   "\"30\"", "1.5",  "1e400", "true"};
    return raw(CHANCE_PICK(chance, periods));
}

cJSON *random_strategy(struct chance *chance) {
    static const char *const strategies[] = {
        "null",
        "{}",
        "{\"type\": \"Recreate\"}",
        "{\"type\": \"RollingUpdate\"}",
        "{\"type\": \"RollingUpdate\", \"rollingUpdate\": null}",
        "{\"type\": \"RollingUpdate\", \"rollingUpdate\": {}}",
        "{\"type\": \"RollingUpdate\", \"rollingUpdate\": {\"maxSurge\": \"25%\","
        " \"maxUnavailable\": \"25%\"}}",
        "{\"type\": \"RollingUpdate\", \"rollingUpdate\": {\"maxSurge\": 0,"
        " \"maxUnavailable\": 1}}",
        "{\"type\": \"RollingUpdate\", \"rollingUpdate\": {\"maxSurge\": 0,"
        " \"maxUnavailable\": 1}}",
        "{\"type\": \"RollingUpdate\", \"rollingUpdate\": {\"maxSurge\": \"0%\","
        " \"maxUnavailable\": 1}}",
        "{\"rollingUpdate\": {\"maxSurge\": 1, \"maxUnavailable\": 0}}",
        "{\"type\": \"recreate\"}"};
    return tree_parse(CHANCE_PICK(chance, strategies));
}

void spoil_text(struct chance *chance, cJSON *object, const char *key, size_t limit) {
    switch (chance_below(chance, 5)) {
    case 0:
        tree_put(object, key, long_text(limit + 1));
        break;
    case 1:
        tree_put(object, key, long_text(limit));
        break;
    case 2:
        tree_put(object, key, raw("7"));
        break;
    case 3:
        tree_put(object, key, raw("{\"a\": 1}"));
        break;
    default:
        tree_put_text(object, key, "a" TREE_NUL "b");
        break;
    }
}

/* ---- a Deployment ---- */

static cJSON *references_of(cJSON *object) {
    return tree_at(object, "metadata", "ownerReferences", NULL);
}

/* The reference to the MCPServer, wherever it stands; NULL if it is gone. */
static cJSON *owner_of(cJSON *object) {
    cJSON *reference;
    cJSON_ArrayForEach(reference, references_of(object)) {
        if (tree_at(reference, "uid", NULL) != NULL && tree_at(reference, "other", NULL) == NULL) {
            return reference;
        }
    }
    return NULL;
}

/* The owner is another one of the three, with its uid or without knowing it. */
static void change_owner_kind(struct chance *chance, const struct names *names, cJSON *owner) {
    enum family kind = (enum family)chance_below(chance, FAMILY);
    tree_put_text(owner, "kind", oracle_kinds[kind]);
    if (chance_of(chance, 75)) {
        tree_put_text(owner, "uid", names_uid(names, kind));
    }
}

static void change_owner(struct chance *chance, const struct names *names, cJSON *owner) {
    static const char *const uids[] = {"m-before", "m-before", "m-after", "", "m-1x"};
    static const char *const kinds[] = {"MCPServer2", "mcpserver", "ReplicaSet"};
    static const char *const versions[] = {"toolhive.stacklok.dev/v1alpha1",
                                           "toolhive.stacklok.dev/v2",
                                           "example.com/v1",
                                           "toolhive.stacklok.dev",
                                           "xtoolhive.stacklok.dev/v1",
                                           "toolhive.stacklok.dev.example.com/v1",
                                           "v1"};
    static const char *const controllers[] = {"false", "null"};
    switch (chance_below(chance, 13)) {
    case 10:
    case 11:
    case 12:
        change_owner_kind(chance, names, owner);
        break;
    case 0:
    case 1:
    case 2:
        tree_put_text(owner, "uid", CHANCE_PICK(chance, uids));
        break;
    case 3:
        tree_put_text(owner, "name", chance_of(chance, 50) ? "notes" : "github-2");
        break;
    case 4:
        tree_put_text(owner, "kind", CHANCE_PICK(chance, kinds));
        break;
    case 5:
        tree_put_text(owner, "apiVersion", CHANCE_PICK(chance, versions));
        break;
    case 6:
        tree_put(owner, "controller", raw(CHANCE_PICK(chance, controllers)));
        break;
    case 7:
        spoil_text(chance, owner, "uid", LIMIT_UID);
        break;
    case 8:
        spoil_text(chance, owner, "name", LIMIT_NAME);
        break;
    default:
        if (chance_of(chance, 50)) {
            spoil_text(chance, owner, "kind", LIMIT_KIND);
        } else {
            spoil_text(chance, owner, "apiVersion", LIMIT_API_VERSION);
        }
        break;
    }
}

static void add_owner(struct chance *chance, const struct names *names, cJSON *object) {
    static const char *const others[] = {
        "{\"other\": 1, \"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"name\": \"s\","
        " \"uid\": \"c-1\"}",
        "{\"other\": 1, \"apiVersion\": \"toolhive.stacklok.dev/v1beta1\","
        " \"kind\": \"MCPServer\", \"name\": \"notes\", \"uid\": \"m-notes\","
        " \"controller\": false}",
        "{\"other\": 1, \"apiVersion\": \"toolhive.stacklok.dev/v1beta1\","
        " \"kind\": \"VirtualMCPServer\", \"name\": \"github\", \"uid\": \"v-1\"}"};
    cJSON *references = references_of(object);
    cJSON *other = tree_parse(CHANCE_PICK(chance, others));
    if (chance_of(chance, 20)) {
        tree_put_text(other, "name", names->name);
    }
    bool is_put = cJSON_IsArray(references) &&
                  (chance_of(chance, 50) ? cJSON_InsertItemInArray(references, 0, other)
                                         : cJSON_AddItemToArray(references, other));
    if (!is_put) {
        cJSON_Delete(other);
    }
}

static void drop_owners(struct chance *chance, cJSON *object) {
    cJSON *metadata = tree_at(object, "metadata", NULL);
    switch (chance_below(chance, 4)) {
    case 0:
        tree_put(metadata, "ownerReferences", cJSON_CreateNull());
        break;
    case 1:
        tree_put(metadata, "ownerReferences", cJSON_CreateArray());
        break;
    default:
        tree_drop(metadata, "ownerReferences");
        break;
    }
}

static void change_labels(struct chance *chance, const struct names *names, cJSON *object) {
    cJSON *metadata = tree_at(object, "metadata", NULL);
    cJSON *labels = tree_at(metadata, "labels", NULL);
    switch (chance_below(chance, 4)) {
    case 0:
        tree_drop(metadata, "labels");
        break;
    case 1:
        tree_put_text(labels, INSTANCE_LABEL, chance_of(chance, 50) ? "notes" : names->name);
        break;
    case 2:
        tree_put_text(labels, NAME_LABEL, oracle_labels[chance_below(chance, FAMILY)]);
        break;
    default:
        tree_drop(labels, INSTANCE_LABEL);
        break;
    }
}

void mutate_selector(struct chance *chance, cJSON *object) {
    cJSON *spec = tree_at(object, "spec", NULL);
    cJSON *selector = tree_at(spec, "selector", NULL);
    cJSON *labels = tree_at(selector, "matchLabels", NULL);
    switch (chance_below(chance, 7)) {
    case 0:
        tree_drop(spec, "selector");
        break;
    case 1:
        tree_put(spec, "selector",
                 tree_parse("{\"matchExpressions\": [{\"key\": \"app.kubernetes.io/name\","
                            " \"operator\": \"In\", \"values\": [\"mcpserver\"]}]}"));
        break;
    case 2:
        tree_put_text(labels, INSTANCE_LABEL, "notes");
        break;
    case 3:
        tree_put_text(labels, NAME_LABEL,
                      chance_of(chance, 50)   ? oracle_labels[chance_below(chance, FAMILY)]
                      : chance_of(chance, 50) ? "mcpserver-x"
                                              : "shop");
        break;
    case 4:
        spoil_text(chance, labels, INSTANCE_LABEL, LIMIT_NAME);
        break;
    case 5:
        tree_drop(labels, chance_of(chance, 50) ? NAME_LABEL : INSTANCE_LABEL);
        break;
    default:
        tree_put_text(labels, "toolhive", "true");
        break;
    }
}

static void change_note(struct chance *chance, cJSON *object) {
    static const char *const notes[] = {"2",  "2",    "9", "10", "11", "0",
                                        "01", "soon", "",  "-1", "1x", "3"};
    cJSON *annotations = tree_at(object, "spec", "template", "metadata", "annotations", NULL);
    switch (chance_below(chance, 6)) {
    case 0:
    case 1:
        tree_drop(annotations, GENERATION_NOTE);
        break;
    case 2:
        tree_put(annotations, GENERATION_NOTE, raw("5"));
        break;
    default:
        tree_put_text(annotations, GENERATION_NOTE, CHANCE_PICK(chance, notes));
        break;
    }
}

static void change_pod(struct chance *chance, cJSON *object) {
    cJSON *spec = tree_at(object, "spec", NULL);
    cJSON *template = tree_at(spec, "template", NULL);
    switch (chance_below(chance, 8)) {
    case 0:
        tree_drop(spec, "template");
        break;
    case 1:
        tree_drop(template, "spec");
        break;
    case 2:
        tree_put(template, "spec", cJSON_CreateNull());
        break;
    default:
        tree_put(tree_at(template, "spec", NULL), "terminationGracePeriodSeconds",
                 random_grace(chance));
        break;
    }
}

/* An update with a forged deletionTimestamp is refused by the API server. A creation with one is
   not: a server-side apply that creates the object brings it here. */
static void set_deletion(struct chance *chance, cJSON *metadata, cJSON *old) {
    bool is_real = old != NULL && chance_of(chance, 80);
    if (is_real || old == NULL) {
        tree_put_text(metadata, "deletionTimestamp", "2026-11-22T11:59:00Z");
    }
    if (old != NULL) {
        tree_put_text(old, "deletionTimestamp", "2026-11-22T11:59:00Z");
    }
}

static void change_metadata(struct chance *chance, cJSON *request, cJSON *object) {
    cJSON *metadata = tree_at(object, "metadata", NULL);
    cJSON *old = tree_at(request, "oldObject", "metadata", NULL);
    switch (chance_below(chance, 5)) {
    case 0:
        tree_put(metadata, "managedFields",
                 tree_parse("[{\"manager\": \"k\", \"fieldsV1\": {\"f:spec\": {\"f:replicas\": {},"
                            " \"f:selector\": {}}}}, {\"manager\": \"l\"}]"));
        break;
    case 1:
        tree_put(metadata, "annotations", tree_parse("{\"a\": \"b\\\\\\\"\\u00e9\"}"));
        break;
    case 2:
        tree_put_text(metadata, "name", "another");
        break;
    case 3:
        tree_put(metadata, "deletionTimestamp", cJSON_CreateNull());
        break;
    default:
        set_deletion(chance, tree_at(request, "object", "metadata", NULL), old);
        break;
    }
}

static void change_wrong_type(struct chance *chance, cJSON *object) {
    static const char *const strategies[] = {"\"RollingUpdate\"", "5", "[]"};
    cJSON *spec = tree_at(object, "spec", NULL);
    switch (chance_below(chance, 3)) {
    case 0:
        tree_put(spec, "strategy", raw(CHANCE_PICK(chance, strategies)));
        break;
    case 1:
        tree_drop(object, "spec");
        break;
    default:
        tree_put(spec, "replicas", random_wrong_count(chance));
        break;
    }
}

static void change_deployment(struct chance *chance, const struct names *names, cJSON *request,
                              cJSON *object) {
    size_t which = chance_below(chance, 100);
    if (which < 25 && owner_of(object) != NULL) {
        change_owner(chance, names, owner_of(object));
    } else if (which < 30) {
        add_owner(chance, names, object);
    } else if (which < 42) {
        drop_owners(chance, object);
    } else if (which < 47) {
        change_labels(chance, names, object);
    } else if (which < 57) {
        mutate_selector(chance, object);
    } else if (which < 72) {
        change_note(chance, object);
    } else if (which < 85) {
        change_pod(chance, object);
    } else if (which < 93) {
        change_metadata(chance, request, object);
    } else {
        change_wrong_type(chance, object);
    }
}

/* The same change to both objects is two equal streams of chance. */
void mutate_deployment(struct chance *chance, const struct names *names, cJSON *request) {
    cJSON *object = tree_at(request, "object", NULL);
    cJSON *old = tree_at(request, "oldObject", NULL);
    size_t which = chance_below(chance, 10);
    struct chance again = *chance;
    if (!cJSON_IsObject(old) || which < 5) {
        change_deployment(chance, names, request, object);
    } else if (which < 8) {
        change_deployment(chance, names, request, object);
        change_deployment(&again, names, request, old);
    } else {
        change_deployment(chance, names, request, old);
    }
}

/* ---- a Scale ---- */

static void change_scale_selector(struct chance *chance, const struct names *names, cJSON *status) {
    static const char *const formats[] = {
        "app.kubernetes.io/name=mcpserver",
        "app.kubernetes.io/instance=%s",
        "app.kubernetes.io/instance=%s,app.kubernetes.io/name=mcpserver",
        "app.kubernetes.io/name=mcpserver,app.kubernetes.io/instance=%s",
        "app.kubernetes.io/instance=%s,xapp.kubernetes.io/name=mcpserver",
        "app.kubernetes.io/instance=%s,app.kubernetes.io/name=mcpserver-x",
        "app.kubernetes.io/instance=%s-2,app.kubernetes.io/name=mcpserver",
        "app.kubernetes.io/instance in (%s),app.kubernetes.io/name=mcpserver",
        "app=shop,app.kubernetes.io/instance=%s",
        "x in (a,b),app.kubernetes.io/instance=%s,y!=z,app.kubernetes.io/name=mcpserver,!q",
        "app.kubernetes.io/instance=notes,app.kubernetes.io/name=mcpserver",
        ""};
    const char *format = CHANCE_PICK(chance, formats);
    const char *mark = strstr(format, "%s");
    if (mark == NULL) {
        tree_put_text(status, "selector", format);
        return;
    }
    AUTO_FREE char *text =
        memory_format("%.*s%s%s", (int)(mark - format), format, names->name, mark + 2);
    char *label = strstr(text, "name=mcpserver");
    if (label == NULL || chance_of(chance, 40)) {
        tree_put_text(status, "selector", text);
        return;
    }
    label += strlen("name=");
    AUTO_FREE char *other =
        memory_format("%.*s%s%s", (int)(label - text), text,
                      oracle_labels[chance_below(chance, FAMILY)], label + strlen("mcpserver"));
    tree_put_text(status, "selector", other);
}

/* Selectors may be long, and the terms may stand anywhere in them. */
static void pad_scale_selector(struct chance *chance, cJSON *status) {
    static const size_t sizes[] = {900, 1023, 1024, 1025, 2000, 20000};
    const cJSON *selector = tree_at(status, "selector", NULL);
    size_t size = CHANCE_PICK(chance, sizes);
    if (!cJSON_IsString(selector) || strlen(selector->valuestring) + 3 >= size) {
        return;
    }
    AUTO_FREE char *pad = memory_new(size + 1, 1);
    memset(pad, 'p', size - strlen(selector->valuestring) - 1);
    AUTO_FREE char *text = chance_of(chance, 50)
                               ? memory_format("%s,%s", pad, selector->valuestring)
                               : memory_format("%s,%s", selector->valuestring, pad);
    tree_put_text(status, "selector", text);
}

void mutate_scale(struct chance *chance, const struct names *names, cJSON *request) {
    bool is_new = chance_of(chance, 35);
    cJSON *object = tree_at(request, is_new ? "object" : "oldObject", NULL);
    cJSON *status = tree_at(object, "status", NULL);
    switch (chance_below(chance, 12)) {
    case 0:
    case 1:
    case 2:
        change_scale_selector(chance, names, status);
        break;
    case 3:
    case 4:
        pad_scale_selector(chance, status);
        break;
    case 5:
        tree_put(status, "selector", raw(chance_of(chance, 50) ? "5" : "{\"a\": \"b\"}"));
        break;
    case 6:
        if (chance_of(chance, 50)) {
            tree_drop(object, "status");
        } else {
            tree_drop(status, "selector");
        }
        break;
    case 7:
        tree_put(tree_at(request, "object", "spec", NULL), "replicas", random_wrong_count(chance));
        break;
    case 8:
        tree_drop(tree_at(request, "object", NULL), "spec");
        break;
    case 9:
        tree_put_text(tree_at(object, "metadata", NULL), "uid",
                      chance_of(chance, 50) ? "d-2" : "m-1");
        break;
    case 10:
        tree_put_text(tree_at(request, "object", "metadata", NULL), "deletionTimestamp",
                      "2026-11-22T11:59:00Z");
        break;
    default:
        tree_put_text(tree_at(object, "metadata", NULL), "name", "notes");
        break;
    }
}

/* ---- one of the family ---- */

void mutate_server(struct chance *chance, const struct names *names, cJSON *request) {
    cJSON *object = tree_at(request, "object", NULL);
    cJSON *old = tree_at(request, "oldObject", NULL);
    cJSON *spec = tree_at(object, "spec", NULL);
    static const char *const transports[] = {"null", "\"stdio\"", "5", "{}"};
    static const char *const affinities[] = {"\"None\"", "\"ClientIP\"", "null", "3", "\"none\""};
    switch (chance_below(chance, 13)) {
    case 9:
        tree_put(spec, "sessionAffinity", raw(CHANCE_PICK(chance, affinities)));
        break;
    case 10:
        spoil_text(chance, spec, "sessionAffinity", LIMIT_WORD);
        break;
    case 11:
        tree_put(spec, "backendReplicas", random_count(chance));
        break;
    case 12:
        tree_put(spec, "backendReplicas", random_wrong_count(chance));
        break;
    case 0:
        tree_put(spec, "transport", raw(CHANCE_PICK(chance, transports)));
        break;
    case 1:
        spoil_text(chance, spec, "transport", LIMIT_WORD);
        break;
    case 2:
        tree_put(spec, "sessionStorage",
                 raw(chance_of(chance, 50) ? "null" : "{\"provider\": true}"));
        break;
    case 3:
        tree_put(spec, "sessionStorage", cJSON_CreateObject());
        spoil_text(chance, tree_at(spec, "sessionStorage", NULL), "provider", LIMIT_WORD);
        break;
    case 4:
        tree_put(spec, "replicas",
                 chance_of(chance, 50) ? random_count(chance) : random_wrong_count(chance));
        break;
    case 5:
        set_deletion(chance, tree_at(object, "metadata", NULL), tree_at(old, "metadata", NULL));
        break;
    case 6:
        tree_drop(object, "spec");
        break;
    case 7:
        tree_put_text(tree_at(object, "metadata", NULL), "name",
                      chance_of(chance, 50) ? "another" : names->name);
        break;
    default:
        if (cJSON_IsObject(old)) {
            tree_put(object, "spec", tree_copy(tree_at(old, "spec", NULL)));
            tree_put_text(tree_at(object, "spec", NULL), "image", "j");
        }
        break;
    }
}

/* ---- the request around them ---- */

static void break_review(struct chance *chance, cJSON *review) {
    cJSON *request = tree_at(review, "request", NULL);
    switch (chance_below(chance, 6)) {
    case 0:
        spoil_text(chance, request, "uid", LIMIT_REVIEW_UID);
        break;
    case 1:
        tree_put_text(request, "uid", "");
        break;
    case 2:
        tree_drop(request, "uid");
        break;
    case 3:
        tree_put_text(review, "apiVersion", "admission.k8s.io/v1beta1");
        break;
    case 4:
        tree_put_text(review, "kind", "AdmissionReview2");
        break;
    default:
        tree_put(review, "request", raw(chance_of(chance, 50) ? "null" : "[]"));
        break;
    }
}

static void change_kind(struct chance *chance, cJSON *request) {
    static const char *const sub_resources[] = {"status", "scale", "finalizers"};
    static const char *const operations[] = {"DELETE", "CONNECT", "update", ""};
    switch (chance_below(chance, 5)) {
    case 0:
        tree_put_text(request, "subResource", CHANCE_PICK(chance, sub_resources));
        break;
    case 1:
    case 2:
        tree_put_text(request, "operation", CHANCE_PICK(chance, operations));
        break;
    case 3:
        tree_put_text(tree_at(request, "kind", NULL), "group", "example.com");
        break;
    default:
        tree_put_text(tree_at(request, "kind", NULL), "kind", "StatefulSet");
        tree_put_text(tree_at(request, "resource", NULL), "resource", "statefulsets");
        break;
    }
}

void mutate_request(struct chance *chance, const struct names *names, cJSON *review) {
    cJSON *request = tree_at(review, "request", NULL);
    (void)names;
    switch (chance_below(chance, 8)) {
    case 0:
        break_review(chance, review);
        break;
    case 1:
    case 2:
        change_kind(chance, request);
        break;
    case 3:
        tree_drop(request, chance_of(chance, 50) ? "name" : "namespace");
        break;
    case 4:
        tree_put(request, "oldObject", cJSON_CreateNull());
        break;
    case 5:
        tree_put(request, "object", raw(chance_of(chance, 50) ? "null" : "\"x\""));
        break;
    case 6:
        tree_put_text(tree_at(request, "userInfo", NULL), "username",
                      "system:serviceaccount:toolhive-system:toolhive-operator-2");
        break;
    default:
        spoil_text(chance, tree_at(request, "userInfo", NULL), "username", LIMIT_USER);
        break;
    }
}
