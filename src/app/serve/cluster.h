// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_CLUSTER_H
#define APP_SERVE_CLUSTER_H

/*
 * Everything that `serve` does with an API server, as one thing for its loop: discovery, the two
 * watches, the election, the look-ups, the companion, and Capstan's own certificates.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admit.h"
#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/facts.h"
#include "serve_options.h"

struct cluster;

/* Reads the kubeconfig or what a pod has, and sends nothing yet. All borrowed, until
   cluster_free(). */
bool cluster_new(const struct serve_options *options, struct facts *facts, struct admit *admit,
                 struct log *log, struct metrics *metrics, struct cluster **ret_cluster,
                 struct error *error) MUST_CHECK;

/* NULL is none. */
void cluster_free(struct cluster *cluster);

/* Does what is due, then waits for the API server, for the descriptors (as poll() does, with
   `revents`), or for the end of the time. */
void cluster_wait(struct cluster *cluster, struct pollfd *descriptors, size_t n_descriptors,
                  int64_t timeout_ms);

/* Who serves the certificates, where Capstan makes its own; before the first cluster_wait(). */
void cluster_set_server(struct cluster *cluster, struct http_server *server);

/* Capstan's own. Borrowed. */
const char *cluster_namespace(const struct cluster *cluster);

/* Whether MCPServers and Deployments have been listed once, and a certificate of our own, if it
   takes one, is served and trusted. */
bool cluster_is_ready(const struct cluster *cluster);

/* The process is ready, and stays it. */
void cluster_note_ready(struct cluster *cluster);

/* Another policy is in force, borrowed until the next one: it says what is healed. To be called
   between admit_set_policy() and the next cluster_wait(). */
void cluster_set_policy(struct cluster *cluster, const struct policy *policy);

/* Ends writing: no further write is begun; then, when none is under way and the Events about them
   are sent (or 5 s have passed), the lease is given back.
   cluster_wait() goes on until cluster_is_closed(), which takes 10 s at most. */
void cluster_close(struct cluster *cluster);
bool cluster_is_closed(const struct cluster *cluster);

/* No look-up is under way after this, and none is made: before http_stop(). */
void cluster_stop_lookups(struct cluster *cluster);

#endif
