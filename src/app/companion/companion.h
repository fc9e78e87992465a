// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMPANION_COMPANION_H
#define APP_COMPANION_COMPANION_H

/*
 * The companion of admission. On every change it sees whether to write an MCPServer's conditions
 * (status.c) or to scale its Deployment (scale.c), and starts that at the pace of core/worklist and
 * core/throttle. It works only while this process leads.
 */

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

struct companion;

/* The options are copied. */
struct companion *companion_new(const struct companion_options *options);

/* No job may be under way: wait for companion_is_idle(), or free the api's kube first. */
void companion_free(struct companion *companion);

/* A sync_changed: sees what an MCPServer or a Deployment that has changed needs; NULL: all of them.
 */
void companion_look(void *companion, const struct object *object);

/* Another policy is in force, borrowed until the next one. */
void companion_set_policy(struct companion *companion, const struct policy *policy);

/* Does what is due. Returns when to step again. */
int64_t companion_step(struct companion *companion, int64_t now_ms);

/* Begins no further write. It is idle when no write is under way. */
void companion_close(struct companion *companion);
bool companion_is_idle(const struct companion *companion);

#endif
