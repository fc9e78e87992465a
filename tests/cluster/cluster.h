// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CLUSTER_CLUSTER_H
#define TESTS_CLUSTER_CLUSTER_H

/*
 * The program `capstan serve --kubeconfig` beside a fake API server. Makes objects as in a cluster,
 * and reviews as the API server sends them, and waits for their effects. Each wait lasts at most 10
 * s; then it fails the test.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_api.h"
#include "program.h"
#include "wire.h"

struct cluster {
    struct fake_api *api;
    struct program program; /* a test may change its options before cluster_start() */
    unsigned n_markers;     /* for cluster_settle() */
};

#define CLUSTER_NAMESPACE                                                                          \
    "capstan-system" /* the namespace in the kubeconfig; it holds the Lease                        \
                      */
#define CLUSTER_WAIT_MS 10000

/* For cmocka: *state is a struct cluster. Its program does not run yet. The teardown stops the
   program, and fails if that fails. */
int cluster_setup(void **state);
int cluster_teardown(void **state);

/* Calls program_start(), and waits until the program is ready and watches. */
void cluster_start(struct cluster *cluster);

/* Prepares a second program with the same kubeconfig. Both take part in the leader election. Start
   it with program_start(), and end it with program_fini(). */
void cluster_init_program(const struct cluster *cluster, struct program *ret_program);

/* Writes the kubeconfig. `user` is YAML, such as "{token: abc}". `server` is NULL for the
   fake one. */
void cluster_put_kubeconfig(const struct cluster *cluster, const char *server, const char *user);

bool cluster_is_ready(const struct cluster *cluster);
void cluster_wait_until_ready(const struct cluster *cluster);
void cluster_wait_for_watches(const struct cluster *cluster);

/* Waits until `n` requests came; see fake_count(). */
void cluster_wait_for(const struct cluster *cluster, const char *verb, const char *path, size_t n);

/* Fails the test unless exactly `n` requests came. */
void cluster_assert_count(const struct cluster *cluster, const char *verb, const char *path,
                          size_t n);

/* Reads the request of this index. Fails the test if it has not come. */
void cluster_find(const struct cluster *cluster, const char *verb, const char *path, size_t index,
                  struct fake_request *ret_request);

/* Waits until the program has seen and written all that was due at the time of the call: it adds an
   object, waits for the write of its status, and removes it. A leader must exist.
   cluster_settle_slowly() also lets 2 s pass, which is the pace of writes and more than a first
   back-off. */
void cluster_settle(struct cluster *cluster);
void cluster_settle_slowly(struct cluster *cluster);

/* An MCPServer, or another one of the family, in the namespace "default". Without a uid here, its
   uid is "m-NAME"; of an MCPRemoteProxy "p-NAME", of a VirtualMCPServer "v-NAME". */
struct cluster_server {
    enum fake_kind kind;
    const char *name;
    const char *transport; /* NULL: none */
    int replicas;          /* -1: none */
    const char *provider;  /* NULL: none */
    const char *uid;
    const char *status; /* JSON; NULL: unchanged */
    bool is_deleting;
};

void cluster_put_server(const struct cluster *cluster, const struct cluster_server *server);
void cluster_remove_server(const struct cluster *cluster, const char *name);
void cluster_put_server_status(const struct cluster *cluster, const char *name, const char *json);

/* The Deployment of an MCPServer, or of another one of the family. */
struct cluster_deployment {
    enum fake_kind kind; /* of its owner, and by its selector */
    const char *name;
    int replicas;          /* -1: none */
    const char *uid;       /* NULL: "d-NAME" */
    const char *owner_uid; /* NULL: the uid above; "": no owner */
    int noted_generation;  /* 0: no annotation */
    const char *user;      /* who sends the review; NULL: an admin */
};

void cluster_put_deployment(const struct cluster *cluster,
                            const struct cluster_deployment *deployment);

/* AdmissionReviews, to be freed: an update of the Deployment from one replica to its count, an
   update of its scale, and the creation of the MCPServer. */
char *cluster_review(const struct cluster_deployment *deployment);
char *cluster_review_scale(const struct cluster_deployment *deployment);
char *cluster_review_server(const struct cluster_server *server);

/* Asks the program. Fails the test unless it allows with this patch and these warnings. Returns the
   duration in ms. */
int64_t cluster_ask(const struct cluster *cluster, char *owned_review, const char *patch,
                    const char *warned);

/* Asks until the verdict is this one. */
void cluster_wait_for_verdict(const struct cluster *cluster, char *owned_review, const char *patch,
                              const char *warned);

/* Reads a member of an MCPServer's stored condition, as text; "" if it has none. */
void cluster_get_condition(const struct cluster *cluster, const char *name, const char *type,
                           const char *member, char out[256]);
void cluster_wait_for_condition(const struct cluster *cluster, const char *name, const char *type,
                                const char *status);

#define CLUSTER_CAPPED  "StdioReplicaCapped"
#define CLUSTER_STORAGE "SessionStorageWarning"

/* The right status for stdio (or any other transport) with one replica at most, at generation 1.
   The program has nothing to write then. */
#define CLUSTER_QUIET_STATUS                                                                       \
    "{\"conditions\":[{\"type\":\"StdioReplicaCapped\",\"status\":\"False\","                      \
    "\"reason\":\"StdioReplicaCapNotActive\",\"message\":\"stdio replica cap is not active\","     \
    "\"observedGeneration\":1,\"lastTransitionTime\":\"2026-01-02T03:04:05Z\"},"                   \
    "{\"type\":\"SessionStorageWarning\",\"status\":\"False\","                                    \
    "\"reason\":\"SessionStorageWarningNotApplicable\","                                           \
    "\"message\":\"session storage warning is not active\",\"observedGeneration\":1,"              \
    "\"lastTransitionTime\":\"2026-01-02T03:04:05Z\"}]}"

/* Stores a Lease in CLUSTER_NAMESPACE as its holder would. Each call is another renewal. */
void cluster_put_lease(const struct cluster *cluster, const char *holder);

/* The holder; "" if there is none. */
void cluster_get_holder(const struct cluster *cluster, char out[256]);

/* Paths for fake_count() and for faults. */
#define SERVERS         "/mcpservers"
#define PROXIES         "/mcpremoteproxies"
#define VIRTUALS        "/virtualmcpservers"
#define DEPLOYMENTS     "/deployments"
#define LEASE           "/leases"
#define STATUS_OF(name) "/mcpservers/" name "/status?"
#define SCALE_OF(name)  "/deployments/" name "/scale"
#define EVENTS          "/events"

#endif
