// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cJSON_Utils.h"
#include "core/certificates/registration.h"
#include "core/core_fixtures.h"
#include "doctor/doctor_tools.h"
#include "document.h"
#include "edge/x509.h"
#include "installation.h"

enum { TEXT_SIZE = 1 << 16 };

/* Objects that a cluster adds, or that somebody else makes. */
#define LABELS(name) "'labels':{'kubernetes.io/metadata.name':'" name "'}"
#define NAMESPACE(name)                                                                            \
    "{'kind':'Namespace','metadata':{'name':'" name "','uid':'u-" name "'," LABELS(name) "}}"
#define POD(name)                                                                                  \
    "{'metadata':{'name':'" name "'},'status':{'conditions':[{'type':'PodScheduled','status':"     \
    "'True'}],'containerStatuses':[{'ready':true,'state':{'running':{}}}]}}"
#define LIST(kind, items) "{'kind':'" kind "List','metadata':{},'items':[" items "]}"
#define SLICE                                                                                      \
    "{'metadata':{'labels':{'kubernetes.io/service-name':'capstan'}},'addressType':'IPv4',"        \
    "'endpoints':[{'addresses':['10.1.0.1'],'conditions':{'ready':true}},{'addresses':["           \
    "'10.1.0.2'],'conditions':{'ready':false}}],'ports':[{'name':'webhook','port':9443}]}"
#define OPERATOR                                                                                   \
    "{'metadata':{'name':'toolhive-operator','namespace':'toolhive-system','labels':{"             \
    "'app.kubernetes.io/version':'v0.23.1'}},'spec':{'template':{'spec':{'serviceAccountName':"    \
    "'toolhive-operator','containers':[]}}}}"
#define DEFINITION                                                                                 \
    "{'kind':'CustomResourceDefinition','spec':{'versions':[{'name':'v1beta1','served':true,"      \
    "'schema':{'openAPIV3Schema':{'properties':{'status':{'properties':{'conditions':{'type':"     \
    "'array','x-kubernetes-list-map-keys':['type'],'x-kubernetes-list-type':'map'}}}}}}}]}}"

static const char *const others[QUESTION_COUNT] = {
    [QUESTION_VERSION] = "{'gitVersion':'v1.37.0'}",
    [QUESTION_GROUP] = "{'kind':'APIGroup','versions':[{'version':'v1beta1'}]}",
    [QUESTION_RESOURCES] = "{'kind':'APIResourceList','resources':[{'name':'mcpservers'},"
                           "{'name':'mcpservers/status'},{'name':'mcpremoteproxies'},"
                           "{'name':'virtualmcpservers'}]}",
    [QUESTION_DEFINITION] = DEFINITION,
    [QUESTION_OPERATORS] = LIST("Deployment", OPERATOR),
    [QUESTION_HOME] = NAMESPACE("capstan-system"),
    [QUESTION_NAMESPACES] = LIST("Namespace", NAMESPACE("capstan-system") "," NAMESPACE(
                                                  "default") "," NAMESPACE("kube-system")),
    [QUESTION_SLICES] = LIST("EndpointSlice", SLICE),
    [QUESTION_PODS] = LIST("Pod", POD("capstan-1") "," POD("capstan-2")),
    [QUESTION_LEASE] = "{'kind':'Lease','metadata':{},'spec':{'holderIdentity':'capstan-1_x',"
                       "'leaseDurationSeconds':15,'renewTime':''}}",
    [QUESTION_SECRET] = "{'kind':'Secret','metadata':{},'data':{}}",
    [QUESTION_MUTATIONS] = LIST("MutatingAdmissionPolicy", ""),
    [QUESTION_BINDINGS] = LIST("MutatingAdmissionPolicyBinding", ""),
};

static const struct {
    const char *kind;
    enum question question;
} kinds[] = {
    {"MutatingWebhookConfiguration", QUESTION_CONFIGURATION},
    {"Service", QUESTION_SERVICE},
    {"Deployment", QUESTION_DEPLOYMENT},
    {"ConfigMap", QUESTION_POLICY},
};

/* The file of an overlay that changes an answer. Its other files change none. */
static const struct {
    const char *name;
    const char *file;
    enum question question; /* the file is a JSON Patch of this object, or replaces it */
} overlays[] = {
    {"default", NULL, QUESTION_COUNT},
    {"audit", "policy.yaml", QUESTION_POLICY},
    {"fail-closed", "arguments.yaml", QUESTION_DEPLOYMENT},
    {"cert-manager", "deployment.yaml", QUESTION_DEPLOYMENT},
    {"namespaced", "arguments.yaml", QUESTION_DEPLOYMENT},
};

static cJSON *parse(const char *text) {
    AUTO_FREE char *json = make_json(text);
    cJSON *tree = cJSON_Parse(json);
    if (tree == NULL) {
        fail_msg("no JSON: %s", text);
    }
    return tree;
}

static void read_manifests(const char *folder, const char *file, struct document_file *ret_file) {
    AUTO_FREE char *path =
        memory_format("%s/../manifests/%s/%s", getenv("CAPSTAN_TESTS"), folder, file);
    struct error error;
    if (!document_file_read(path, ret_file, &error)) {
        fail_msg("%s", error.text);
    }
}

static void put(struct installation *installation, enum question question, cJSON *owned_tree) {
    cJSON_Delete(installation->trees[question]);
    installation->trees[question] = owned_tree;
}

/* Takes the objects of a file of manifests that doctor asks about. */
static void take(struct installation *installation, const char *file) {
    AUTO(document_file_fini) struct document_file manifests = {.path = NULL};
    read_manifests("base", file, &manifests);
    for (size_t i = 0; i < manifests.n_documents; i++) {
        cJSON *tree = cJSON_Parse(buffer_text(&manifests.documents[i].json));
        const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(tree, "kind"));
        for (size_t j = 0; j < COUNT_OF(kinds); j++) {
            if (kind != NULL && strcmp(kind, kinds[j].kind) == 0) {
                put(installation, kinds[j].question, TAKE(tree));
                break;
            }
        }
        cJSON_Delete(tree);
    }
}

static void lay_over(struct installation *installation, const char *name) {
    for (size_t i = 0; i < COUNT_OF(overlays); i++) {
        if (strcmp(overlays[i].name, name) != 0 || overlays[i].file == NULL) {
            continue;
        }
        AUTO(document_file_fini) struct document_file file = {.path = NULL};
        AUTO_FREE char *folder = memory_format("overlays/%s", name);
        read_manifests(folder, overlays[i].file, &file);
        cJSON *tree = cJSON_Parse(buffer_text(&file.documents[0].json));
        if (cJSON_IsArray(tree)) {
            assert_int_equal(cJSONUtils_ApplyPatchesCaseSensitive(
                                 installation->trees[overlays[i].question], tree),
                             0);
            cJSON_Delete(tree);
        } else {
            put(installation, overlays[i].question, tree);
        }
    }
}

static char *base64_of(const char *text) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, TEXT_SIZE);
    buffer_add_base64(&out, text, strlen(text));
    return memory_copy(out.bytes, out.size);
}

/* Certificates, and the caBundles that trust them. */
static void certify(struct installation *installation, int life_days) {
    static const char *const names[] = {"capstan.capstan-system.svc"};
    AUTO(x509_pair_fini) struct x509_pair ca = {.key_pem = NULL};
    AUTO(x509_pair_fini) struct x509_pair other = {.key_pem = NULL};
    AUTO(x509_pair_fini) struct x509_pair leaf = {.key_pem = NULL};
    int64_t begin = installation->patient.now - INSTALLATION_DAY;
    struct error error;
    assert_true(x509_make_ca("CA", begin, 4000 * INSTALLATION_DAY, &ca, &error));
    assert_true(x509_make_ca("CA", begin, 4000 * INSTALLATION_DAY, &other, &error));
    assert_true(x509_make_leaf(&ca, names, 1, begin, life_days * INSTALLATION_DAY, &leaf, &error));
    AUTO_FREE char *bundle = base64_of(ca.certificate_pem);
    AUTO_FREE char *certificate = base64_of(leaf.certificate_pem);
    AUTO_FREE char *key = base64_of(leaf.key_pem);
    installation->other_ca = base64_of(other.certificate_pem);
    cJSON *data = cJSON_GetObjectItem(installation->trees[QUESTION_SECRET], "data");
    cJSON_AddStringToObject(data, "tls.crt", certificate);
    cJSON_AddStringToObject(data, "tls.key", key);
    cJSON_AddStringToObject(data, "ca.crt", bundle);
    cJSON *entry;
    cJSON_ArrayForEach(
        entry, cJSON_GetObjectItem(installation->trees[QUESTION_CONFIGURATION], "webhooks")) {
        cJSON_AddStringToObject(cJSON_GetObjectItem(entry, "clientConfig"), "caBundle", bundle);
    }
}

/* Adds the work of the leader, of the controllers and of the API server. */
static void run(struct installation *installation, bool fails_closed) {
    cJSON *configuration = installation->trees[QUESTION_CONFIGURATION];
    cJSON *entry;
    installation_patch(installation, QUESTION_CONFIGURATION,
                       "[{'op':'add','path':'/metadata/uid','value':'u-zz'},{'op':'add','path':"
                       "'/metadata/ownerReferences','value':[{'apiVersion':'v1','kind':'Namespace',"
                       "'name':'capstan-system','uid':'u-capstan-system'}]}]");
    installation_patch(installation, QUESTION_SERVICE,
                       "[{'op':'add','path':'/spec/clusterIP','value':'10.0.0.7'},"
                       "{'op':'add','path':'/spec/type','value':'ClusterIP'}]");
    installation_patch(installation, QUESTION_DEPLOYMENT,
                       "[{'op':'add','path':'/status','value':{'replicas':2,'readyReplicas':2}}]");
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(configuration, "webhooks")) {
        cJSON_AddItemToObject(entry, "objectSelector", cJSON_CreateObject());
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(entry, "name"));
        if (fails_closed && strcmp(name, REGISTRATION_AUTOSCALERS_NAME) != 0) {
            cJSON_ReplaceItemInObject(entry, "failurePolicy", cJSON_CreateString("Fail"));
        }
    }
}

void installation_make(struct installation *installation, const char *overlay, int life_days,
                       int64_t now) {
    static const char *const files[] = {"webhook.yaml", "service.yaml", "deployment.yaml",
                                        "policy.yaml"};
    *installation = (struct installation){
        .patient = {.names = {.namespace = "capstan-system",
                              .service = "capstan",
                              .configuration = "zz-capstan"},
                    .now = now,
                    .version = CAPSTAN_VERSION,
                    .tools = &doctor_tools},
    };
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        installation->trees[i] = others[i] != NULL ? parse(others[i]) : NULL;
    }
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        take(installation, files[i]);
    }
    lay_over(installation, overlay);
    certify(installation, life_days);
    run(installation, strcmp(overlay, "fail-closed") == 0);
    installation_renew(installation, now);
}

void installation_fini(struct installation *installation) {
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        cJSON_Delete(installation->trees[i]);
        cJSON_free(installation->bodies[i]);
    }
    free(installation->other_ca);
}

/* The text with `other_ca` in place of the word OTHER_CA. */
static char *fill_in(const struct installation *installation, const char *text) {
    static const char word[] = "OTHER_CA";
    const char *at = strstr(text, word);
    if (at == NULL) {
        return memory_copy(text, strlen(text));
    }
    return memory_format("%.*s%s%s", (int)(at - text), text, installation->other_ca,
                         at + strlen(word));
}

void installation_patch(struct installation *installation, enum question question,
                        const char *patch) {
    AUTO_FREE char *text = fill_in(installation, patch);
    cJSON *tree = parse(text);
    if (cJSONUtils_ApplyPatchesCaseSensitive(installation->trees[question], tree) != 0) {
        fail_msg("cannot be applied: %s", patch);
    }
    cJSON_Delete(tree);
}

void installation_renew(struct installation *installation, int64_t now) {
    char time[TEXT_MICRO_TIME_SIZE];
    cJSON *spec = cJSON_GetObjectItem(installation->trees[QUESTION_LEASE], "spec");
    text_format_micro_time(time, now * 1000000);
    cJSON_ReplaceItemInObject(spec, "renewTime", cJSON_CreateString(time));
}

/* The list of all webhook configurations has at least ours. */
static void list_configurations(struct installation *installation) {
    cJSON *list = installation->trees[QUESTION_CONFIGURATIONS];
    if (list == NULL) {
        list = parse(LIST("MutatingWebhookConfiguration", ""));
        installation->trees[QUESTION_CONFIGURATIONS] = list;
    }
    cJSON_AddItemToArray(cJSON_GetObjectItem(list, "items"),
                         cJSON_Duplicate(installation->trees[QUESTION_CONFIGURATION], true));
}

void installation_seal(struct installation *installation) {
    list_configurations(installation);
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        cJSON *tree = installation->trees[i]; /* NULL: the question is not asked */
        installation->bodies[i] = tree != NULL ? cJSON_PrintUnformatted(tree) : NULL;
        bool is_asked = installation->bodies[i] != NULL;
        installation_answer(installation, (enum question)i, is_asked ? 200 : 0,
                            is_asked ? installation->bodies[i] : "");
    }
    for (size_t i = 0; i < CHECKUP_ASKS_MAX; i++) {
        installation->patient.grants[i] = CHECKUP_GRANTED;
    }
}

static void hide_rights(struct installation *installation) {
    installation->patient.grants_status = 403;
    for (size_t i = 0; i < CHECKUP_ASKS_MAX; i++) {
        installation->patient.grants[i] = CHECKUP_UNASKED;
    }
}

void installation_hide(struct installation *installation, enum asker asker) {
    static const bool seen_by_viewer[QUESTION_COUNT] = {
        [QUESTION_VERSION] = true, [QUESTION_GROUP] = true,     [QUESTION_OPERATORS] = true,
        [QUESTION_HOME] = true,    [QUESTION_SLICES] = true,    [QUESTION_NAMESPACES] = true,
        [QUESTION_SERVICE] = true, [QUESTION_PODS] = true,      [QUESTION_DEPLOYMENT] = true,
        [QUESTION_POLICY] = true,  [QUESTION_RESOURCES] = true,
    };
    if (asker == ASKER_ADMIN) {
        return;
    }
    hide_rights(installation);
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        bool is_seen = asker == ASKER_VIEWER ? seen_by_viewer[i] : i == QUESTION_VERSION;
        if (!is_seen) {
            installation_answer(installation, (enum question)i, 403, "");
        }
    }
}

void installation_answer(struct installation *installation, enum question question, int status,
                         const char *body) {
    installation->patient.answers[question] =
        (struct answer){.status = status, .json = body, .size = strlen(body)};
}
