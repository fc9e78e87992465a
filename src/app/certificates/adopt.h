// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ADOPT_H
#define APP_CERTIFICATES_ADOPT_H

/*
 * Makes the Namespace the owner of the webhook configuration, so that both are deleted together.
 * Only the leader writes. Runner of core/certificates/ownership. On the loop's thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cluster/elect.h"
#include "edge/kube.h"
#include "edge/log.h"

struct adopt;

/* All borrowed, until adopt_free(). */
struct adopt_options {
    struct kube *kube;
    struct elect *elect;
    const char *namespace;
    const char *service_name;
    const char *config_name;
    struct log *log;
};

struct adopt *adopt_new(const struct adopt_options *options);

/* kube_free() must have cancelled the requests under way. NULL is allowed. */
void adopt_free(struct adopt *adopt);

/* Does what is due. Returns when to step again. */
int64_t adopt_step(struct adopt *adopt, int64_t now_ms);

/* Begins no further request. It is idle when it is not writing. */
void adopt_close(struct adopt *adopt);
bool adopt_is_idle(const struct adopt *adopt);

#endif
