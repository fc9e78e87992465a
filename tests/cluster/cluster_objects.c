// SPDX-License-Identifier: Apache-2.0

/*
 * The functions of cluster.h that make objects and reviews.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cluster/cluster.h"

enum { JSON_SIZE = 8192 };

/* By enum fake_kind. Each word is the label value of the kind, as well. */
static const struct {
    const char *kind;
    const char *plural;
    const char *word;
    char uid; /* the first letter of its uids */
} family[FAKE_FAMILY_COUNT] = {
    [FAKE_SERVER] = {"MCPServer", "mcpservers", "mcpserver", 'm'},
    [FAKE_PROXY] = {"MCPRemoteProxy", "mcpremoteproxies", "mcpremoteproxy", 'p'},
    [FAKE_VIRTUAL] = {"VirtualMCPServer", "virtualmcpservers", "virtualmcpserver", 'v'},
};

PRINTF_LIKE(2, 3)
static void add(char out[JSON_SIZE], const char *format, ...) {
    size_t used = strlen(out);
    va_list values;
    va_start(values, format);
    int size = vsnprintf(out + used, JSON_SIZE - used, format, values);
    va_end(values);
    assert_true(size >= 0 && (size_t)size < JSON_SIZE - used);
}

static void add_labels(char out[JSON_SIZE], const char *word, const char *name) {
    add(out,
        "{\"app\":\"%s\",\"app.kubernetes.io/name\":\"%s\",\"app.kubernetes.io/instance\":\"%s\","
        "\"toolhive\":\"true\",\"toolhive-name\":\"%s\"}",
        word, word, name, name);
}

static void add_server(char out[JSON_SIZE], const struct cluster_server *server) {
    add(out,
        "{\"kind\":\"%s\",\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\","
        "\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",",
        family[server->kind].kind, server->name);
    if (server->uid == NULL) {
        add(out, "\"uid\":\"%c-%s\"", family[server->kind].uid, server->name);
    } else {
        add(out, "\"uid\":\"%s\"", server->uid);
    }
    if (server->is_deleting) {
        add(out, ",\"deletionTimestamp\":\"2026-11-22T10:00:00Z\"");
    }
    add(out, "},\"spec\":{\"image\":\"x\"");
    if (server->transport != NULL) {
        add(out, ",\"transport\":\"%s\"", server->transport);
    }
    if (server->replicas >= 0) {
        add(out, ",\"replicas\":%d", server->replicas);
    }
    if (server->provider != NULL) {
        add(out, ",\"sessionStorage\":{\"provider\":\"%s\"}", server->provider);
    }
    add(out, "}");
    if (server->status != NULL) {
        add(out, ",\"status\":%s", server->status);
    }
    add(out, "}");
}

void cluster_put_server(const struct cluster *cluster, const struct cluster_server *server) {
    char json[JSON_SIZE] = "";
    add_server(json, server);
    fake_put(cluster->api, server->kind, json);
}

void cluster_remove_server(const struct cluster *cluster, const char *name) {
    fake_remove(cluster->api, FAKE_SERVER, "default", name);
}

void cluster_put_server_status(const struct cluster *cluster, const char *name, const char *json) {
    fake_put_status(cluster->api, FAKE_SERVER, "default", name, json);
}

static void add_owner(char out[JSON_SIZE], const struct cluster_deployment *deployment) {
    const char *name = deployment->name;
    if (deployment->owner_uid != NULL && deployment->owner_uid[0] == '\0') {
        return;
    }
    add(out,
        ",\"ownerReferences\":[{\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\","
        "\"kind\":\"%s\",\"name\":\"%s\",\"controller\":true,\"blockOwnerDeletion\":true,",
        family[deployment->kind].kind, name);
    if (deployment->owner_uid == NULL) {
        add(out, "\"uid\":\"%c-%s\"}]", family[deployment->kind].uid, name);
    } else {
        add(out, "\"uid\":\"%s\"}]", deployment->owner_uid);
    }
}

static void add_metadata(char out[JSON_SIZE], const struct cluster_deployment *deployment) {
    const char *name = deployment->name;
    add(out, "\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",\"uid\":\"%s%s\"", name,
        deployment->uid == NULL ? "d-" : "", deployment->uid == NULL ? name : deployment->uid);
}

static void add_deployment(char out[JSON_SIZE], const struct cluster_deployment *deployment,
                           int replicas) {
    const char *word = family[deployment->kind].word;
    add(out, "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",");
    add_metadata(out, deployment);
    add(out, ",\"labels\":");
    add_labels(out, word, deployment->name);
    add_owner(out, deployment);
    add(out, "},\"spec\":{");
    if (replicas >= 0) {
        add(out, "\"replicas\":%d,", replicas);
    }
    add(out, "\"selector\":{\"matchLabels\":");
    add_labels(out, word, deployment->name);
    add(out, "},\"template\":{\"metadata\":{");
    if (deployment->noted_generation > 0) {
        add(out, "\"annotations\":{\"toolhive.stacklok.dev/mcpserver-generation\":\"%d\"},",
            deployment->noted_generation);
    }
    add(out, "\"labels\":");
    add_labels(out, word, deployment->name);
    add(out, "},\"spec\":{\"terminationGracePeriodSeconds\":30,"
             "\"containers\":[{\"name\":\"toolhive\",\"image\":\"x\"}]}}}}");
}

void cluster_put_deployment(const struct cluster *cluster,
                            const struct cluster_deployment *deployment) {
    char json[JSON_SIZE] = "";
    add_deployment(json, deployment, deployment->replicas);
    fake_put(cluster->api, FAKE_DEPLOYMENT, json);
}

struct reviewed {
    const char *name;
    const char *group;
    const char *kind;
    const char *resource_group;
    const char *resource;
    const char *operation;
    const char *user; /* NULL: an admin */
};

static void begin_review(char out[JSON_SIZE], const struct reviewed *of) {
    bool is_family = strcmp(of->group, "toolhive.stacklok.dev") == 0;
    const char *version = is_family ? "v1beta1" : "v1";
    add(out,
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
        "\"uid\":\"r-%s\",\"kind\":{\"group\":\"%s\",\"version\":\"%s\",\"kind\":\"%s\"},"
        "\"resource\":{\"group\":\"%s\",\"version\":\"%s\",\"resource\":\"%s\"},"
        "\"name\":\"%s\",\"namespace\":\"default\",\"operation\":\"%s\","
        "\"userInfo\":{\"username\":\"%s\"},",
        of->name, of->group, version, of->kind, of->resource_group, version, of->resource, of->name,
        of->operation, of->user == NULL ? "admin" : of->user);
}

char *cluster_review(const struct cluster_deployment *deployment) {
    char json[JSON_SIZE] = "";
    const struct reviewed reviewed = {.name = deployment->name,
                                      .group = "apps",
                                      .kind = "Deployment",
                                      .resource_group = "apps",
                                      .resource = "deployments",
                                      .operation = "UPDATE",
                                      .user = deployment->user};
    begin_review(json, &reviewed);
    add(json, "\"object\":");
    add_deployment(json, deployment, deployment->replicas);
    add(json, ",\"oldObject\":");
    add_deployment(json, deployment, 1);
    add(json, "}}");
    return memory_copy(json, strlen(json));
}

static void add_scale(char out[JSON_SIZE], const struct cluster_deployment *deployment,
                      int replicas) {
    add(out, "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",");
    add_metadata(out, deployment);
    const char *word = family[deployment->kind].word;
    add(out,
        "},\"spec\":{\"replicas\":%d},\"status\":{\"replicas\":0,\"selector\":\"app=%s,"
        "app.kubernetes.io/instance=%s,app.kubernetes.io/name=%s,toolhive=true,"
        "toolhive-name=%s\"}}",
        replicas, word, deployment->name, word, deployment->name);
}

char *cluster_review_scale(const struct cluster_deployment *deployment) {
    char json[JSON_SIZE] = "";
    const struct reviewed reviewed = {.name = deployment->name,
                                      .group = "autoscaling",
                                      .kind = "Scale",
                                      .resource_group = "apps",
                                      .resource = "deployments",
                                      .operation = "UPDATE",
                                      .user = deployment->user};
    begin_review(json, &reviewed);
    add(json, "\"subResource\":\"scale\",\"object\":");
    add_scale(json, deployment, deployment->replicas);
    add(json, ",\"oldObject\":");
    add_scale(json, deployment, 1);
    add(json, "}}");
    return memory_copy(json, strlen(json));
}

char *cluster_review_server(const struct cluster_server *server) {
    char json[JSON_SIZE] = "";
    const struct reviewed reviewed = {.name = server->name,
                                      .group = "toolhive.stacklok.dev",
                                      .kind = family[server->kind].kind,
                                      .resource_group = "toolhive.stacklok.dev",
                                      .resource = family[server->kind].plural,
                                      .operation = "CREATE"};
    begin_review(json, &reviewed);
    add(json, "\"object\":");
    add_server(json, server);
    add(json, "}}");
    return memory_copy(json, strlen(json));
}
