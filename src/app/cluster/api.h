// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_API_H
#define APP_CLUSTER_API_H

/*
 * The API server as the companion loop sees it: the connection, and which kinds of the family it
 * serves, each under which version. Discovery finds the versions, and finds them again when a CRD
 * comes later or changes. Runner of core/cluster/discovery. On the loop's thread.
 *
 * `kind` is one of the family, or OBJECT_DEPLOYMENT, which each API server has.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "core/cluster/discovery.h"
#include "core/facts/object.h"
#include "edge/kube.h"
#include "edge/log.h"
#include "edge/metrics.h"

enum { API_PATH_SIZE = 1024 };

enum api_state {
    API_UNKNOWN, /* it has not answered yet */
    API_ABSENT,  /* the CRD is not there: there are no objects of the kind */
    API_SERVED,
};

struct api;

/* All borrowed, until api_free(). */
struct api *api_new(struct kube *kube, struct log *log, struct metrics *metrics);

/* No request may be under way: call kube_free() first. */
void api_free(struct api *api);

/* Asks what is due. Returns when to step again. */
int64_t api_step(struct api *api, int64_t now_ms);

struct kube *api_kube(const struct api *api);
enum api_state api_state(const struct api *api, enum object_kind kind);

/* The reason why discovery fails; "" if it does not. */
const char *api_problem(const struct api *api);

/* Another number whenever state or version of the kind change. */
unsigned api_epoch(const struct api *api, enum object_kind kind);

/* "toolhive.stacklok.dev/v1beta1" */
const char *api_group_version(const struct api *api, enum object_kind kind);

/* True if conditions of MCPServers may be written by server-side apply. */
bool api_has_condition_map(const struct api *api);

/* An answer about this kind contradicts what discovery found: discovery is due again, at most every
   2 s, and with it the CRD, if it is about MCPServers. */
void api_doubt(struct api *api, enum object_kind kind);

/* The path of all objects of a kind in a namespace or, if that is NULL, in all; and of one object,
   with a suffix such as "/status?force=true". Namespace and name must be DNS names, since nothing
   is escaped. */
void api_list_path(const struct api *api, enum object_kind kind, const char *namespace,
                   char ret_path[API_PATH_SIZE]);
void api_object_path(const struct api *api, enum object_kind kind, const char *namespace,
                     const char *name, const char *suffix, char ret_path[API_PATH_SIZE]);

#endif
