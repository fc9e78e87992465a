// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CLUSTER_CLUSTER_H
#define TESTS_CLUSTER_CLUSTER_H

/*
 * `capstan serve --kubeconfig` beside a fake API server: objects as a cluster has them, reviews as
 * its API server sends them, and waiting for what comes of it. Whatever is waited for has 10 s; a
 * test fails here if that is not enough.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_api.h"
#include "program.h"
#include "wire.h"

struct cluster {
    struct fake_api *api;
    struct program program; /* its options may be changed before cluster_start() */
    unsigned n_markers;     /* of cluster_settle() */
};

#define CLUSTER_NAMESPACE "capstan-system" /* of the kubeconfig, where the Lease is */
#define CLUSTER_WAIT_MS   10000

/* For cmocka: *state is a struct cluster, whose program does not run yet; the end of a test stops
   it, and that must succeed. */
int cluster_setup(void **state);
int cluster_teardown(void **state);

/* program_start(), and waits until it is ready and watches. */
void cluster_start(struct cluster *cluster);

/* A further one beside it, with the same kubeconfig, that elects a leader as well; both are started
   by program_start(), and this one ended by program_fini(). */
void cluster_init_program(const struct cluster *cluster, struct program *ret_program);

/* Writes the kubeconfig: `user` is YAML, as "{token: abc}"; "server" is the fake's by default. */
void cluster_put_kubeconfig(const struct cluster *cluster, const char *server, const char *user);

bool cluster_is_ready(const struct cluster *cluster);
void cluster_wait_until_ready(const struct cluster *cluster);
void cluster_wait_for_watches(const struct cluster *cluster);

/* Waits until so many requests came; see fake_count(). */
void cluster_wait_for(const struct cluster *cluster, const char *verb, const char *path, size_t n);

/* Fails the test unless exactly so many came. */
void cluster_assert_count(const struct cluster *cluster, const char *verb, const char *path,
                          size_t n);

/* The request of an index, which must have come. */
void cluster_find(const struct cluster *cluster, const char *verb, const char *path, size_t index,
                  struct fake_request *ret_request);

/* Waits until the program has seen, and written, all that was due when this was called: an object
   made for the purpose comes, is written, and goes. There must be a leader. The second one also
   lets 2 s pass, which is the pace of writes, and more than a first back-off. */
void cluster_settle(struct cluster *cluster);
void cluster_settle_slowly(struct cluster *cluster);

/* An MCPServer in the namespace "default". Its uid is "m-NAME" where none is given. */
struct cluster_server {
    const char *name;
    const char *transport; /* NULL: none */
    int replicas;          /* -1: none */
    const char *provider;  /* NULL: none */
    const char *uid;
    const char *status; /* JSON; NULL: as it is */
    bool is_deleting;
};

void cluster_put_server(const struct cluster *cluster, const struct cluster_server *server);
void cluster_remove_server(const struct cluster *cluster, const char *name);
void cluster_put_server_status(const struct cluster *cluster, const char *name, const char *json);

/* Its Deployment. */
struct cluster_deployment {
    const char *name;
    int replicas;          /* -1: none */
    const char *uid;       /* NULL: "d-NAME" */
    const char *owner_uid; /* NULL: "m-NAME"; "": no owner */
    int noted_generation;  /* 0: no annotation */
};

void cluster_put_deployment(const struct cluster *cluster,
                            const struct cluster_deployment *deployment);

/* AdmissionReviews: an update of the Deployment from one replica to as many as it says; its scale;
   and the MCPServer's creation. To be freed. */
char *cluster_review(const struct cluster_deployment *deployment);
char *cluster_review_scale(const struct cluster_deployment *deployment);
char *cluster_review_server(const struct cluster_server *server);

/* Asks, and fails the test unless the verdict is to allow with this patch and these warnings.
   Returns after how many ms it came. */
int64_t cluster_ask(const struct cluster *cluster, char *owned_review, const char *patch,
                    const char *warned);

/* Asks until the verdict is so. */
void cluster_wait_for_verdict(const struct cluster *cluster, char *owned_review, const char *patch,
                              const char *warned);

/* A condition of an MCPServer as it is stored: one member, as text; "" if there is none. */
void cluster_get_condition(const struct cluster *cluster, const char *name, const char *type,
                           const char *member, char out[256]);
void cluster_wait_for_condition(const struct cluster *cluster, const char *name, const char *type,
                                const char *status);

#define CLUSTER_CAPPED  "StdioReplicaCapped"
#define CLUSTER_STORAGE "SessionStorageWarning"

/* The status that is right for stdio (or any other transport) with one replica at most, with
   generation 1: nothing to write. */
#define CLUSTER_QUIET_STATUS                                                                       \
    "{\"conditions\":[{\"type\":\"StdioReplicaCapped\",\"status\":\"False\","                      \
    "\"reason\":\"StdioReplicaCapNotActive\",\"message\":\"stdio replica cap is not active\","     \
    "\"observedGeneration\":1,\"lastTransitionTime\":\"2026-01-02T03:04:05Z\"},"                   \
    "{\"type\":\"SessionStorageWarning\",\"status\":\"False\","                                    \
    "\"reason\":\"SessionStorageWarningNotApplicable\","                                           \
    "\"message\":\"session storage warning is not active\",\"observedGeneration\":1,"              \
    "\"lastTransitionTime\":\"2026-01-02T03:04:05Z\"}]}"

/* A Lease in CLUSTER_NAMESPACE as its holder renews it: each call is another renewal. */
void cluster_put_lease(const struct cluster *cluster, const char *holder);

/* The holder, "" without one. */
void cluster_get_holder(const struct cluster *cluster, char out[256]);

/* Paths, for verbs and faults. */
#define SERVERS         "/mcpservers"
#define DEPLOYMENTS     "/deployments"
#define LEASE           "/leases"
#define STATUS_OF(name) "/mcpservers/" name "/status?"
#define SCALE_OF(name)  "/deployments/" name "/scale"
#define EVENTS          "/events"

#endif
