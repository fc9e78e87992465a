// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ROTATE_H
#define APP_CERTIFICATES_ROTATE_H

/*
 * Capstan's own certificates: kept in the Secret `capstan-certs`, which every replica follows and
 * serves from, and trusted by the webhook configuration, whose caBundles the leader writes. Runner
 * of core/renewal. On the loop's thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "cluster/elect.h"
#include "cluster/events.h"
#include "edge/http.h"
#include "edge/kube.h"
#include "edge/log.h"
#include "edge/metrics.h"

struct rotate;

/* All borrowed, until rotate_free(). */
struct rotate_options {
    struct kube *kube;
    struct elect *elect;
    struct events *events;
    const char *namespace;
    const char *service_name;
    const char *config_name; /* of the MutatingWebhookConfiguration */
    int64_t trust_delay_ms;
    int64_t retire_delay_ms;
    bool fails_closed; /* also sets failurePolicy Fail, once this has been ready for a while */
    struct log *log;
    struct metrics *metrics;
};

struct rotate *rotate_new(const struct rotate_options *options);

/* What is under way must have been cancelled, by kube_free(). NULL is none. */
void rotate_free(struct rotate *rotate);

/* Who gets the key pairs; to be called before the first step. */
void rotate_set_server(struct rotate *rotate, struct http_server *server);

/* Asks and does what is due. Returns when to step again. */
int64_t rotate_step(struct rotate *rotate, int64_t now_ms);

/* Whether a certificate is served that each entry of the webhook configuration trusts, if there is
   a configuration. */
bool rotate_is_ready(const struct rotate *rotate);

/* The process as a whole is ready, and stays it. */
void rotate_note_ready(struct rotate *rotate, int64_t now_ms);

/* No further write is begun. */
void rotate_close(struct rotate *rotate);
bool rotate_is_idle(const struct rotate *rotate);

#endif
