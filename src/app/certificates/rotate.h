// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ROTATE_H
#define APP_CERTIFICATES_ROTATE_H

/*
 * Capstan's own certificates. The Secret `capstan-certs` holds them; every replica follows it, and
 * serves what it holds. The webhook configuration trusts them; the leader writes its caBundles.
 * Runner of core/certificates/renewal. On the loop's thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "cluster/elect.h"
#include "cluster/events.h"
#include "core/certificates/registration.h"
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
    bool fails_closed; /* also sets failurePolicy Fail, 30 s after rotate_note_ready() */
    struct log *log;
    struct metrics *metrics;
};

struct rotate *rotate_new(const struct rotate_options *options);

/* kube_free() must have cancelled the requests under way. NULL is none. */
void rotate_free(struct rotate *rotate);

/* The server gets the key pairs. Call this before the first step. */
void rotate_set_server(struct rotate *rotate, struct http_server *server);

/* Does what is due. Returns when to step again. */
int64_t rotate_step(struct rotate *rotate, int64_t now_ms);

/* True if the server has a certificate that each entry of the webhook configuration trusts, if
   there is a configuration. If no entry trusts anybody and the leader leaves it so, the certificate
   is enough. */
bool rotate_is_ready(const struct rotate *rotate);

/* Appends a line for each reason why rotate_is_ready() is false; nothing if it is true. */
void rotate_why_unready(const struct rotate *rotate, int64_t now_ms, struct buffer *out);

/* True if each entry of a webhook configuration trusts the certificate that is served; false if it
   has none. */
bool rotate_is_trusted_by(const struct rotate *rotate, const struct registration *registration);

/* The process as a whole is ready, and stays ready. */
void rotate_note_ready(struct rotate *rotate, int64_t now_ms);

/* Begins no further write. It is idle when no write is under way. */
void rotate_close(struct rotate *rotate);
bool rotate_is_idle(const struct rotate *rotate);

#endif
