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

#define LABELS(name)                                                                               \
    "{\"app\":\"mcpserver\",\"app.kubernetes.io/name\":\"mcpserver\","                             \
    "\"app.kubernetes.io/instance\":\"" name "\",\"toolhive\":\"true\",\"toolhive-name\":\"" name  \
    "\"}"
#define SELECTOR                                                                                   \
    "app=mcpserver,app.kubernetes.io/instance=%s,app.kubernetes.io/name=mcpserver,"                \
    "toolhive=true,toolhive-name=%s"

PRINTF_LIKE(2, 3)
static void add(char out[JSON_SIZE], const char *format, ...) {
    size_t used = strlen(out);
    va_list values;
    va_start(values, format);
    int size = vsnprintf(out + used, JSON_SIZE - used, format, values);
    va_end(values);
    assert_true(size >= 0 && (size_t)size < JSON_SIZE - used);
}

static void add_server(char out[JSON_SIZE], const struct cluster_server *server) {
    add(out,
        "{\"kind\":\"MCPServer\",\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\","
        "\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",",
        server->name);
    if (server->uid == NULL) {
        add(out, "\"uid\":\"m-%s\"", server->name);
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
    fake_put(cluster->api, FAKE_SERVER, json);
}

void cluster_remove_server(const struct cluster *cluster, const char *name) {
    fake_remove(cluster->api, FAKE_SERVER, "default", name);
}

void cluster_put_server_status(const struct cluster *cluster, const char *name, const char *json) {
    fake_put_status(cluster->api, FAKE_SERVER, "default", name, json);
}

static void add_owner(char out[JSON_SIZE], const struct cluster_deployment *deployment) {
    const char *name = deployment->name;
    if (deployment->owner_uid == NULL || deployment->owner_uid[0] != '\0') {
        add(out,
            ",\"ownerReferences\":[{\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\","
            "\"kind\":\"MCPServer\",\"name\":\"%s\",\"uid\":\"%s%s\",\"controller\":true,"
            "\"blockOwnerDeletion\":true}]",
            name, deployment->owner_uid == NULL ? "m-" : "",
            deployment->owner_uid == NULL ? name : deployment->owner_uid);
    }
}

static void add_metadata(char out[JSON_SIZE], const struct cluster_deployment *deployment) {
    const char *name = deployment->name;
    add(out, "\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",\"uid\":\"%s%s\"", name,
        deployment->uid == NULL ? "d-" : "", deployment->uid == NULL ? name : deployment->uid);
}

static void add_deployment(char out[JSON_SIZE], const struct cluster_deployment *deployment,
                           int replicas) {
    const char *name = deployment->name;
    add(out, "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",");
    add_metadata(out, deployment);
    add(out, ",\"labels\":" LABELS("%s"), name, name);
    add_owner(out, deployment);
    add(out, "},\"spec\":{");
    if (replicas >= 0) {
        add(out, "\"replicas\":%d,", replicas);
    }
    add(out, "\"selector\":{\"matchLabels\":" LABELS("%s") "},\"template\":{\"metadata\":{", name,
        name);
    if (deployment->noted_generation > 0) {
        add(out, "\"annotations\":{\"toolhive.stacklok.dev/mcpserver-generation\":\"%d\"},",
            deployment->noted_generation);
    }
    add(out,
        "\"labels\":" LABELS("%s") "},\"spec\":{\"terminationGracePeriodSeconds\":30,"
                                   "\"containers\":[{\"name\":\"toolhive\",\"image\":\"x\"}]}}}}",
        name, name);
}

void cluster_put_deployment(const struct cluster *cluster,
                            const struct cluster_deployment *deployment) {
    char json[JSON_SIZE] = "";
    add_deployment(json, deployment, deployment->replicas);
    fake_put(cluster->api, FAKE_DEPLOYMENT, json);
}

static void begin_review(char out[JSON_SIZE], const char *name, const char *kind,
                         const char *resource, const char *operation) {
    add(out,
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
        "\"uid\":\"r-%s\",\"kind\":%s,\"resource\":%s,\"name\":\"%s\",\"namespace\":\"default\","
        "\"operation\":\"%s\",\"userInfo\":{\"username\":\"admin\"},",
        name, kind, resource, name, operation);
}

#define DEPLOYMENT_KIND     "{\"group\":\"apps\",\"version\":\"v1\",\"kind\":\"Deployment\"}"
#define DEPLOYMENT_RESOURCE "{\"group\":\"apps\",\"version\":\"v1\",\"resource\":\"deployments\"}"
#define SCALE_KIND          "{\"group\":\"autoscaling\",\"version\":\"v1\",\"kind\":\"Scale\"}"
#define SERVER_KIND                                                                                \
    "{\"group\":\"toolhive.stacklok.dev\",\"version\":\"v1beta1\",\"kind\":\"MCPServer\"}"
#define SERVER_RESOURCE                                                                            \
    "{\"group\":\"toolhive.stacklok.dev\",\"version\":\"v1beta1\",\"resource\":\"mcpservers\"}"

char *cluster_review(const struct cluster_deployment *deployment) {
    char json[JSON_SIZE] = "";
    begin_review(json, deployment->name, DEPLOYMENT_KIND, DEPLOYMENT_RESOURCE, "UPDATE");
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
    add(out,
        "},\"spec\":{\"replicas\":%d},\"status\":{\"replicas\":0,\"selector\":\"" SELECTOR "\"}}",
        replicas, deployment->name, deployment->name);
}

char *cluster_review_scale(const struct cluster_deployment *deployment) {
    char json[JSON_SIZE] = "";
    begin_review(json, deployment->name, SCALE_KIND, DEPLOYMENT_RESOURCE, "UPDATE");
    add(json, "\"subResource\":\"scale\",\"object\":");
    add_scale(json, deployment, deployment->replicas);
    add(json, ",\"oldObject\":");
    add_scale(json, deployment, 1);
    add(json, "}}");
    return memory_copy(json, strlen(json));
}

char *cluster_review_server(const struct cluster_server *server) {
    char json[JSON_SIZE] = "";
    begin_review(json, server->name, SERVER_KIND, SERVER_RESOURCE, "CREATE");
    add(json, "\"object\":");
    add_server(json, server);
    add(json, "}}");
    return memory_copy(json, strlen(json));
}
