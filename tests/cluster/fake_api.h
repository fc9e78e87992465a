// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CLUSTER_FAKE_API_H
#define TESTS_CLUSTER_FAKE_API_H

/*
 * An API server that does what a test tells it to: HTTP on 127.0.0.1, with a small store in memory
 * that behaves as kube-apiserver's does where Capstan can tell the difference (resource versions,
 * pages, watches, server-side apply, conflicts), and with the faults that a real one cannot be made
 * to show on demand.
 *
 *     fake_*.c    the store, the verbs, the connections, the faults
 *
 * It has threads of its own; every function here can be called at any time from the test's thread.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_kind { FAKE_SERVER, FAKE_DEPLOYMENT, FAKE_LEASE, FAKE_EVENT, FAKE_KIND_COUNT };

struct fake_api;

/* Serves MCPServers as v1beta1 and v1alpha1, with `listType: map`, to everybody. */
struct fake_api *fake_new(void);
void fake_free(struct fake_api *api);
uint16_t fake_port(const struct fake_api *api);

/* What the API serves: "v1beta1,v1alpha1"; "" while there is no CRD. */
void fake_set_versions(struct fake_api *api, const char *versions);

/* Whether the CRD declares status.conditions a map by type; otherwise apply replaces the list. */
void fake_set_list_map(struct fake_api *api, bool is_map);

/* Only requests with this bearer token are answered, others get 401; NULL: anybody. */
void fake_set_token(struct fake_api *api, const char *token);

/* Creates or updates as a client would: uid, resourceVersion and generation are the store's (the
   uid may be given for a new object), and a status that is not given stays. */
void fake_put(struct fake_api *api, enum fake_kind kind, const char *json);
void fake_remove(struct fake_api *api, enum fake_kind kind, const char *namespace,
                 const char *name);

/* The object as a tree of the caller's, or NULL. */
cJSON *fake_get(struct fake_api *api, enum fake_kind kind, const char *namespace, const char *name);
size_t fake_count_objects(struct fake_api *api, enum fake_kind kind);

/* Replaces status, as a client that merge-patches /status does; NULL takes it away. */
void fake_put_status(struct fake_api *api, enum fake_kind kind, const char *namespace,
                     const char *name, const char *json);

/* From here on a watch, or a next page, from before now is too old: 410. */
void fake_compact(struct fake_api *api);

/* What is added, as it stands, to the watches of a kind that are open. */
void fake_send(struct fake_api *api, enum fake_kind kind, const char *bytes, size_t size);

/* Ends every open watch as at its timeoutSeconds; or in the middle, the connection with it. */
void fake_end_watches(struct fake_api *api);
void fake_cut_watches(struct fake_api *api);

/* Watches say nothing until they are let go on; then they say all of it at once. */
void fake_hold_watches(struct fake_api *api);
void fake_release_watches(struct fake_api *api);
size_t fake_count_watches(struct fake_api *api, enum fake_kind kind);

enum fake_fault_kind {
    FAKE_ANSWER, /* `status`, `headers` and `body`, and nothing is done */
    FAKE_LATE,   /* what it should be, `delay_ms` later */
    FAKE_CUT,    /* what it should be, but the connection ends after `n_bytes` of the body */
    FAKE_DRIP,   /* what it should be, in segments of `n_bytes` */
    FAKE_RESET,  /* no answer, but a reset */
    FAKE_HELD,   /* what it should be, after fake_release() or fake_heal() */
    FAKE_SILENT, /* no answer until fake_heal(), and then a reset */
};

/* For requests that match. The first fault that matches is the one that counts. */
struct fake_fault {
    const char *verb; /* "GET" one, "LIST", "WATCH", "POST", "PUT", "PATCH"; NULL: any */
    const char *path; /* what the path, with its query, must contain; NULL: anything */
    unsigned times;   /* for so many requests; 0: until fake_heal() */
    enum fake_fault_kind kind;
    int status;
    const char *headers; /* "Retry-After: 5\r\n"; NULL: Content-Type: application/json */
    const char *body;    /* NULL: a Status with the code */
    int64_t delay_ms;
    size_t n_bytes;
};

/* The texts are borrowed until fake_heal(). */
void fake_inject(struct fake_api *api, const struct fake_fault *fault);
void fake_heal(struct fake_api *api);

/* Lets go on what is held now; the fault stays. */
void fake_release(struct fake_api *api);

/* The process is stopped: connections are accepted, and nothing is answered or sent any more. */
void fake_freeze(struct fake_api *api);
void fake_thaw(struct fake_api *api);

/* The process is gone: connections are closed, and new ones refused. */
void fake_go_away(struct fake_api *api);
void fake_come_back(struct fake_api *api);

/* A request as it came, in the order of coming; texts are cut. */
struct fake_request {
    int64_t at_ms; /* of clock_boot_ms() */
    char verb[8];
    char path[1024];
    char content_type[64];
    char authorization[128];
    char body[4096];
    int status; /* of the answer; 0: none (yet) */
};

/* Requests that match, as those of a fault do. The verb "WRITE" is any of POST, PUT and PATCH on
   anything but Leases. */
size_t fake_count(struct fake_api *api, const char *verb, const char *path);
bool fake_find(struct fake_api *api, const char *verb, const char *path, size_t index,
               struct fake_request *ret_request);

/* Waits at most `within_ms` until there are as many; false if not. */
bool fake_wait(struct fake_api *api, const char *verb, const char *path, size_t n,
               int64_t within_ms);

/* Begins to count anew. */
void fake_forget(struct fake_api *api);

#endif
