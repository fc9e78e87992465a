// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CLUSTER_FAKE_API_H
#define TESTS_CLUSTER_FAKE_API_H

/*
 * An API server that obeys the test: HTTP on 127.0.0.1, with a small store in memory. It behaves as
 * kube-apiserver does where Capstan can tell the difference (resource versions, pages, watches,
 * server-side apply, conflicts). It can show faults that a real API server does not show on demand.
 *
 *     fake_*.c    the store, the verbs, the connections, the faults
 *
 * It has threads of its own. The test's thread can call every function here at any time.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_kind {
    FAKE_SERVER,
    FAKE_PROXY,   /* MCPRemoteProxy */
    FAKE_VIRTUAL, /* VirtualMCPServer */
    FAKE_DEPLOYMENT,
    FAKE_HPA, /* autoscaling/v1 alone */
    FAKE_LEASE,
    FAKE_EVENT,
    FAKE_SECRET,
    FAKE_NAMESPACE,     /* its own namespace is "", as is that of the next */
    FAKE_CONFIGURATION, /* MutatingWebhookConfiguration */
    FAKE_KIND_COUNT,
    FAKE_FAMILY_COUNT = FAKE_VIRTUAL + 1,
};

struct fake_api;

/* Serves the three kinds of the family as v1beta1 and v1alpha1 to everybody, with `listType: map`.
 */
struct fake_api *fake_new(void);
void fake_free(struct fake_api *api);
uint16_t fake_port(const struct fake_api *api);

/* Sets the served versions of the three kinds, or of one of them: "v1beta1,v1alpha1"; "" without a
   CRD. "+v1beta1" means a version of the group that only its other CRDs have. The group prefers the
   first version of the first kind that has any. */
void fake_set_versions(struct fake_api *api, const char *versions);
void fake_set_versions_of(struct fake_api *api, enum fake_kind kind, const char *versions);
bool fake_is_installed(struct fake_api *api, enum fake_kind kind);

/* With `is_map`, the CRD declares status.conditions a map by type. Without it, apply replaces the
   list. */
void fake_set_list_map(struct fake_api *api, bool is_map);

/* Requests need this bearer token and otherwise get 401; NULL: no request needs one. */
void fake_set_token(struct fake_api *api, const char *token);

/* Each answer gets a Date: the time of this machine and `ahead_s` more, or this text. There is none
   before the first call. */
void fake_set_clock(struct fake_api *api, int64_t ahead_s);
void fake_set_date(struct fake_api *api, const char *text);

/* Creates or updates an object as a client would. The store sets uid, resourceVersion and
   generation, but a new object may bring its own uid. Without a status here, the old one stays. */
void fake_put(struct fake_api *api, enum fake_kind kind, const char *json);
void fake_remove(struct fake_api *api, enum fake_kind kind, const char *namespace,
                 const char *name);

/* Returns the object as a tree, to be deleted; NULL if there is none. */
cJSON *fake_get(struct fake_api *api, enum fake_kind kind, const char *namespace, const char *name);
size_t fake_count_objects(struct fake_api *api, enum fake_kind kind);

/* Replaces the status, as a client's merge patch of /status does; NULL removes it. */
void fake_put_status(struct fake_api *api, enum fake_kind kind, const char *namespace,
                     const char *name, const char *json);

/* The same for an MCPServer, and with the managedFields that an operator leaves there by its PUT of
   /status. With `has_conditions`, it owns the conditions of Capstan's types. */
void fake_operate(struct fake_api *api, const char *namespace, const char *name, const char *json,
                  bool has_conditions);

/* Forgets older changes: a watch or a next page from before this call gets 410. */
void fake_compact(struct fake_api *api);

/* Adds these bytes unchanged to the open watches of a kind. */
void fake_send(struct fake_api *api, enum fake_kind kind, const char *bytes, size_t size);

/* fake_end_watches() ends every open watch as its timeoutSeconds does. fake_cut_watches() breaks it
   off with its connection. */
void fake_end_watches(struct fake_api *api);
void fake_cut_watches(struct fake_api *api);

/* Holds all watches back. Released, they send everything at once. */
void fake_hold_watches(struct fake_api *api);
void fake_release_watches(struct fake_api *api);
size_t fake_count_watches(struct fake_api *api, enum fake_kind kind);

enum fake_fault_kind {
    FAKE_ANSWER, /* `status`, `headers` and `body`; the store does not change */
    FAKE_LATE,   /* the right answer, `delay_ms` later */
    FAKE_CUT,    /* the right answer, cut off with the connection after `n_bytes` of the body */
    FAKE_DRIP,   /* the right answer, in segments of `n_bytes` */
    FAKE_RESET,  /* a reset without an answer */
    FAKE_HELD,   /* the right answer, after fake_release() or fake_heal() */
    FAKE_SILENT, /* no answer until fake_heal(), and then a reset */
};

/* A fault for all matching requests. The first matching fault counts. */
struct fake_fault {
    const char *verb; /* "GET" (one object), "LIST", "WATCH", "POST", "PUT", "PATCH"; NULL: any */
    const char *path; /* a part of the path with its query; NULL: any path */
    unsigned times;   /* the number of requests; 0: until fake_heal() */
    enum fake_fault_kind kind;
    int status;
    const char *headers; /* "Retry-After: 5\r\n"; NULL: Content-Type: application/json */
    const char *body;    /* NULL: a Status with the code */
    int64_t delay_ms;
    size_t n_bytes;
};

/* Borrows the texts until fake_heal(). */
void fake_inject(struct fake_api *api, const struct fake_fault *fault);
void fake_heal(struct fake_api *api);

/* From here on until fake_heal(), chance decides which of the requests that match no fault get one:
   so many in a hundred, reads and writes alike. */
void fake_set_chaos(struct fake_api *api, uint64_t seed, unsigned percent);

/* Lets all held answers go. The fault stays. */
void fake_release(struct fake_api *api);

/* Acts like a stopped process: accepts connections, but answers and sends nothing. */
void fake_freeze(struct fake_api *api);
void fake_thaw(struct fake_api *api);

/* Acts like a dead process: closes connections and refuses new ones. */
void fake_go_away(struct fake_api *api);
void fake_come_back(struct fake_api *api);

/* A request, in the order of arrival. Long texts are cut. */
struct fake_request {
    int64_t at_ms; /* of clock_boot_ms() */
    char verb[8];
    char path[1024];
    char content_type[64];
    char authorization[128];
    char body[4096];
    int status; /* of the answer; 0: no answer yet */
};

/* Matching requests, by the rules for faults. The verb "WRITE" means any POST, PUT or PATCH, except
   on Leases. */
size_t fake_count(struct fake_api *api, const char *verb, const char *path);
bool fake_find(struct fake_api *api, const char *verb, const char *path, size_t index,
               struct fake_request *ret_request);

/* Waits at most `within_ms` for the `n`th request. Returns false if it does not come. */
bool fake_wait(struct fake_api *api, const char *verb, const char *path, size_t n,
               int64_t within_ms);

/* Forgets all requests, so that counting starts again. */
void fake_forget(struct fake_api *api);

#endif
