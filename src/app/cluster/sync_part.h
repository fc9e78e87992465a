// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_SYNC_PART_H
#define APP_CLUSTER_SYNC_PART_H

/*
 * The syncs of all kinds that the facts have, in one namespace or in all.
 */

#include <stdbool.h>
#include <stdint.h>

#include "sync.h"

enum { SYNC_PART_WATCHES = OBJECT_FAMILY_COUNT + 1 }; /* at a time: the family and Deployments */

struct sync_part;

/* `options->kind` does not count. */
struct sync_part *sync_part_new(const struct sync_options *options);
void sync_part_free(struct sync_part *part);

/* The same as for one sync; see sync.h. It is done when each sync is, and refused when any is. */
int64_t sync_part_step(struct sync_part *part, int64_t now_ms);
bool sync_part_is_done(const struct sync_part *part);
bool sync_part_is_refused(const struct sync_part *part);
void sync_part_why_not_done(const struct sync_part *part, struct buffer *out);

#endif
