// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/second_opinion.h"

static bool is_far(int64_t one_s, int64_t other_s) {
    return one_s - other_s > SECOND_OPINION_TOLERANCE_S ||
           other_s - one_s > SECOND_OPINION_TOLERANCE_S;
}

enum second_opinion_verdict second_opinion_step(struct second_opinion *opinion,
                                                const struct second_opinion_view *view,
                                                int64_t now_ms) {
    bool is_wrong = view->has_date && is_far(view->date_s, view->wall_s);
    bool begins_later = view->begins_s - view->wall_s > SECOND_OPINION_TOLERANCE_S;
    bool was_waiting = opinion->is_waiting;
    opinion->is_waiting = view->has_date && !is_wrong && begins_later;
    if (is_wrong) {
        return SECOND_OPINION_DATE;
    }
    if (!begins_later) {
        return SECOND_OPINION_AGREES;
    }
    if (opinion->is_waiting && !was_waiting) {
        opinion->since_ms = now_ms;
    }
    bool is_outvoted =
        opinion->is_waiting && now_ms >= opinion->since_ms + SECOND_OPINION_PATIENCE_MS;
    return is_outvoted ? SECOND_OPINION_AGREES : SECOND_OPINION_CERTIFICATE;
}
