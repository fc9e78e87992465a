// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/succession.h"

#include <string.h>

#include "base/memory.h"

enum {
    WAIT_MIN_MS = 2000,
    WAIT_MAX_MS = 600000,
    OVERDUE_MS = 60000, /* a wait of this length is worth a line in the log */
    SELDOM_MS = 3600000,
};

static const struct registration_entry *find(const struct registration *registration,
                                             const char *name) {
    for (size_t i = 0; i < registration->n_entries; i++) {
        if (strcmp(registration->entries[i].name, name) == 0) {
            return &registration->entries[i];
        }
    }
    return NULL;
}

/* NULL: the present one has taken over. */
static const char *why_not_yet(const struct succession_view *view) {
    for (size_t i = 0; i < view->former->n_entries; i++) {
        const struct registration_entry *former = &view->former->entries[i];
        const struct registration_entry *entry = find(view->present, former->name);
        if (entry == NULL) {
            return "has an entry that the present configuration lacks";
        }
        if (former->fails && !entry->fails && registration_may_fail(former)) {
            return "has failurePolicy Fail, and the present configuration does not";
        }
    }
    return view->is_trusted ? NULL
                            : "is still needed: the present configuration does not trust the "
                              "certificate that is served";
}

int64_t succession_fail(struct succession *succession, int64_t now_ms) {
    int64_t wait_ms = succession->wait_ms > 0 ? 2 * succession->wait_ms : WAIT_MIN_MS;
    succession->is_taken_over = false;
    succession->wait_ms = MIN(wait_ms, (int64_t)WAIT_MAX_MS);
    return now_ms + succession->wait_ms;
}

/* A configuration without entries does not show whose it is. */
static bool is_ours(const struct succession_view *view) {
    return view->n_foreign == 0 && view->former->n_entries > 0;
}

void succession_step(struct succession *succession, const struct succession_view *view,
                     int64_t trust_delay_ms, int64_t now_ms, struct succession_order *ret_order) {
    struct succession_order order = {.verb = SUCCESSION_WAIT};
    const char *problem = why_not_yet(view);
    if (!is_ours(view)) {
        succession->is_taken_over = false;
        order.verb = SUCCESSION_KEEP;
        order.at_ms = now_ms + SELDOM_MS;
        /* One without any entry of ours is no business of this installation. */
        order.problem = view->former->n_entries > 0 ? "does not lead to this Service alone" : NULL;
    } else if (problem != NULL) {
        order.at_ms = succession_fail(succession, now_ms);
        order.problem = succession->wait_ms >= OVERDUE_MS ? problem : NULL;
    } else if (!succession->is_taken_over) {
        *succession = (struct succession){.is_taken_over = true, .taken_over_ms = now_ms};
        order.at_ms = now_ms + trust_delay_ms;
    } else if (now_ms < succession->taken_over_ms + trust_delay_ms) {
        order.at_ms = succession->taken_over_ms + trust_delay_ms;
    } else {
        order.verb = SUCCESSION_DELETE;
    }
    *ret_order = order;
}
