// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CLUSTER_FAKE_INSIDE_H
#define TESTS_CLUSTER_FAKE_INSIDE_H

/*
 * Shared by the parts of the fake API server, and hidden from tests. One mutex guards all of it. No
 * thread sends bytes while it holds the mutex.
 */

#include <pthread.h>

#include "fake_api.h"
#include "fake_chaos.h"
#include "fake_http.h"
#include "fake_store.h"

enum { FAKE_FAULTS_MAX = 32 };

/* The target of a request. */
struct fake_route {
    const char *verb; /* see struct fake_fault */
    enum {
        FAKE_NOWHERE,
        FAKE_GROUP,      /* /apis/toolhive.stacklok.dev */
        FAKE_VERSION,    /* /apis/toolhive.stacklok.dev/VERSION */
        FAKE_DEFINITION, /* the CustomResourceDefinition */
        FAKE_RESOURCE,
    } place;
    enum fake_kind kind;
    char version[32];
    char namespace[256]; /* "" for all */
    char name[256];      /* "" for the collection */
    char subresource[32];
    const char *query; /* the text after the question mark, or "" */
};

struct fake_reply {
    int status;
    const char *headers; /* NULL: JSON */
    struct buffer body;
};

struct fake_thread {
    struct fake_api *api;
    struct fake_connection connection;
    struct fake_thread *next;
};

struct fake_active {
    struct fake_fault fault;
    unsigned n_left; /* 0: for ever */
};

struct fake_api {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* signals a change of any member below */
    pthread_t acceptor;
    int listener;
    uint16_t port;
    struct fake_thread *threads;

    struct fake_store store;
    char versions[FAKE_FAMILY_COUNT][64];
    bool is_list_map;
    char authorization[128]; /* "": no request needs it */
    bool has_clock;
    int64_t ahead_s;
    char date[64]; /* "": by the clock, if there is one */

    bool is_stopping;
    bool is_away;
    bool is_frozen;
    bool is_holding;
    struct fake_active faults[FAKE_FAULTS_MAX];
    size_t n_faults;
    struct fake_chaos chaos;
    unsigned n_heals;
    unsigned n_releases;

    unsigned n_watch_ends;
    unsigned n_watch_cuts;

    struct fake_request *requests;
    size_t n_requests;
};

/* Reads the target of a request. Borrows the texts of the message. */
void fake_route_read(const struct fake_message *message, struct fake_route *ret_route);

/* Decodes a member of the query. If it is missing, returns false and "". */
bool fake_query(const char *query, const char *name, char *out, size_t size);

/* Executes any request but a watch. Needs the lock. */
void fake_do(struct fake_api *api, const struct fake_route *route,
             const struct fake_message *message, struct fake_reply *reply);

/* A patch of /status by server-side apply, and a merge patch of /scale. */
void fake_apply(struct fake_api *api, const struct fake_route *route, const cJSON *applied,
                cJSON *owned_object, struct fake_reply *reply);
void fake_scale(struct fake_api *api, const struct fake_route *route, const cJSON *patch,
                cJSON *owned_object, struct fake_reply *reply);

/* Patches of a Secret (merge) and of a webhook configuration (JSON Patch, or an apply that adds
   owners); and a DELETE with preconditions. */
void fake_patch(struct fake_api *api, const struct fake_route *route, const char *content_type,
                const cJSON *patch, cJSON *owned_object, struct fake_reply *reply);
void fake_delete(struct fake_api *api, const struct fake_route *route, const cJSON *options,
                 cJSON *owned_object, struct fake_reply *reply);

/* Answers a GET of /scale. The Deployment must exist. */
void fake_get_scale(const struct fake_api *api, const char *key, struct fake_reply *reply);

/* Answers with a Status. */
void fake_reply_status(struct fake_reply *reply, int code, const char *reason, const char *message);

/* False for one of the family in a version that is not served. */
bool fake_is_served(const struct fake_api *api, const struct fake_route *route);

/* Serves a watch to its end. Call it without the lock. */
void fake_watch(struct fake_api *api, struct fake_connection *connection,
                const struct fake_route *route);

/* Adds to the log of requests. Needs the lock. Returns the index. */
size_t fake_log_add(struct fake_api *api, const struct fake_route *route,
                    const struct fake_message *message);

/* Tells if a request matches a fault or a count. */
bool fake_matches(const char *verb, const char *path, const char *wanted_verb,
                  const char *wanted_path);

/* Waits for a change, at most until `until_ms` (of clock_boot_ms()). */
void fake_wait_for_change(struct fake_api *api, int64_t until_ms);

#endif
