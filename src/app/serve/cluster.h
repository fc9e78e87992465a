// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_CLUSTER_H
#define APP_SERVE_CLUSTER_H

/*
 * Everything that `serve` does with an API server, behind one interface for its loop: discovery,
 * the watches, the election, the look-ups, the companion, and Capstan's own certificates.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admit.h"
#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/facts/facts.h"
#include "serve_options.h"

struct cluster;

/* Reads the kubeconfig or the pod's service account, and sends nothing yet. All borrowed, until
   cluster_free(). */
bool cluster_new(const struct serve_options *options, struct facts *facts, struct admit *admit,
                 struct log *log, struct metrics *metrics, struct cluster **ret_cluster,
                 struct error *error) MUST_CHECK;

/* NULL is none. */
void cluster_free(struct cluster *cluster);

/* Does what is due. Then waits for the API server, for the descriptors (as poll() does, with
   `revents`), or for the end of the time. */
void cluster_wait(struct cluster *cluster, struct pollfd *descriptors, size_t n_descriptors,
                  int64_t timeout_ms);

/* The server gets the certificates that Capstan makes, if it makes its own. Call before the first
   cluster_wait(). */
void cluster_set_server(struct cluster *cluster, struct http_server *server);

/* Capstan's own. Borrowed. */
const char *cluster_namespace(const struct cluster *cluster);

/* Each appends a line for each reason, and nothing if there is none: a kind of the family that the
   API server has, or Deployments, have not been listed; Capstan's own certificate is not served, or
   is not trusted. */
void cluster_why_no_facts(const struct cluster *cluster, struct buffer *out);
void cluster_why_no_certificate(const struct cluster *cluster, struct buffer *out);

/* Seconds since 1970, by the API server's clock if that is known. */
int64_t cluster_wall_s(const struct cluster *cluster);

/* The process is ready, and stays ready. */
void cluster_note_ready(struct cluster *cluster);

/* Another policy is in force, borrowed until the next one. It says which Deployments are healed.
   Call it between admit_set_policy() and the next cluster_wait(). */
void cluster_set_policy(struct cluster *cluster, const struct policy *policy);

/* Begins no further write. When no write is under way and their Events are sent (or 5 s have
   passed), gives the Lease back. Call cluster_wait() until cluster_is_closed(), 10 s at most. */
void cluster_close(struct cluster *cluster);
bool cluster_is_closed(const struct cluster *cluster);

/* Ends the look-ups under way, and begins none from here on. Call it before http_stop(). */
void cluster_stop_lookups(struct cluster *cluster);

#endif
