// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/deference.h"

#include "base/attribute.h"

static void note(struct deference *deference, const struct fact *server, int64_t wrote_ms) {
    deference->active_ms = MAX(deference->active_ms, wrote_ms);
    if (server->others_condition) {
        deference->writing_ms = MAX(deference->writing_ms, wrote_ms);
    }
}

void deference_see(struct deference *deference, const struct fact *server, int64_t now_ms) {
    if (server->is_touched && server->others_wrote != 0) {
        note(deference, server, now_ms);
    }
}

void deference_recall(struct deference *deference, const struct fact *server, int64_t now,
                      int64_t now_ms) {
    int64_t age_ms = MAX(now - (int64_t)server->others_wrote, 0) * 1000;
    if (server->others_wrote != 0 && age_ms < DEFERENCE_MEMORY_MS) {
        note(deference, server, now_ms - age_ms);
    }
}

static bool is_remembered(int64_t then_ms, int64_t now_ms) {
    return then_ms > 0 && now_ms - then_ms < DEFERENCE_MEMORY_MS;
}

int64_t deference_until_ms(const struct deference *deference, int64_t since_ms, int64_t now_ms) {
    if (!is_remembered(deference->active_ms, now_ms)) {
        return since_ms;
    }
    if (!is_remembered(deference->writing_ms, now_ms)) {
        return since_ms + DEFERENCE_IDLE_MS;
    }
    return MIN(MAX(since_ms, deference->active_ms) + DEFERENCE_IDLE_MS,
               since_ms + DEFERENCE_LIMIT_MS);
}
