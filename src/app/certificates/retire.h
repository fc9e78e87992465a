// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_RETIRE_H
#define APP_CERTIFICATES_RETIRE_H

/*
 * Deletes the webhook configuration of a former version, which had another name, once the present
 * one has taken over: an upgrade leaves one configuration, not two. Only the leader deletes.
 * Runner of core/certificates/succession. On the loop's thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cluster/elect.h"
#include "edge/kube.h"
#include "edge/log.h"
#include "rotate.h"

struct retire;

/* All borrowed, until retire_free(). */
struct retire_options {
    struct kube *kube;
    struct elect *elect;
    const char *namespace;
    const char *service_name;
    const char *config_name;     /* of the present configuration */
    const struct rotate *rotate; /* NULL: the certificate is in files */
    const char *cert_path;       /* the folder of the certificate, unless there is a rotate */
    const char *cert_name;
    int64_t trust_delay_ms;
    struct log *log;
};

/* Returns NULL if the present configuration has the former name. */
struct retire *retire_new(const struct retire_options *options);

/* kube_free() must have cancelled the requests under way. NULL is none. */
void retire_free(struct retire *retire);

/* Does what is due. Returns when to step again. NULL is none. */
int64_t retire_step(struct retire *retire, int64_t now_ms);

/* Begins no further request. It is idle when it is not deleting. NULL is none. */
void retire_close(struct retire *retire);
bool retire_is_idle(const struct retire *retire);

#endif
