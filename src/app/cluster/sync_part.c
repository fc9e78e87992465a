// SPDX-License-Identifier: Apache-2.0
#include "sync_part.h"

#include <stdlib.h>

#include "base/memory.h"

struct sync_part {
    struct sync *syncs[SYNC_PART_WATCHES]; /* the family, then Deployments */
};

struct sync_part *sync_part_new(const struct sync_options *options) {
    struct sync_part *part = memory_new(1, sizeof(*part));
    struct sync_options own = *options;
    for (int i = 0; i < OBJECT_FAMILY_COUNT; i++) {
        own.kind = (enum object_kind)(OBJECT_FAMILY_FIRST + i);
        part->syncs[i] = sync_new(&own);
    }
    own.kind = OBJECT_DEPLOYMENT;
    part->syncs[OBJECT_FAMILY_COUNT] = sync_new(&own);
    return part;
}

void sync_part_free(struct sync_part *part) {
    if (part == NULL) {
        return;
    }
    for (int i = 0; i < SYNC_PART_WATCHES; i++) {
        sync_free(part->syncs[i]);
    }
    free(part);
}

int64_t sync_part_step(struct sync_part *part, int64_t now_ms) {
    int64_t next_ms = INT64_MAX;
    for (int i = 0; i < SYNC_PART_WATCHES; i++) {
        next_ms = MIN(next_ms, sync_step(part->syncs[i], now_ms));
    }
    return next_ms;
}

bool sync_part_is_done(const struct sync_part *part) {
    bool is_done = true;
    for (int i = 0; i < SYNC_PART_WATCHES; i++) {
        is_done = is_done && sync_is_done(part->syncs[i]);
    }
    return is_done;
}

bool sync_part_is_refused(const struct sync_part *part) {
    bool is_refused = false;
    for (int i = 0; i < SYNC_PART_WATCHES; i++) {
        is_refused = is_refused || sync_is_refused(part->syncs[i]);
    }
    return is_refused;
}

void sync_part_why_not_done(const struct sync_part *part, struct buffer *out) {
    for (int i = 0; i < SYNC_PART_WATCHES; i++) {
        sync_why_not_done(part->syncs[i], out);
    }
}
