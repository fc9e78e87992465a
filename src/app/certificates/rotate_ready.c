// SPDX-License-Identifier: Apache-2.0
#include "rotate_ready.h"

#include <stdio.h>

#include "core/certificates/keyring.h"
#include "rotate_view.h"

enum { WHO_SIZE = 320 };

void rotate_ready_look(struct rotate_ready *ready, const struct served *served,
                       const struct registration *registration, int64_t now_ms) {
    bool was_blank = ready->is_blank;
    bool did_trust = ready->is_trusted || !ready->has_looked;
    ready->is_trusted = true;
    for (size_t i = 0; i < registration->n_entries; i++) {
        ready->distrusts[i] = !served_is_trusted_by(served, &registration->entries[i]);
        ready->is_trusted = ready->is_trusted && !ready->distrusts[i];
    }
    if (did_trust && !ready->is_trusted) {
        ready->untrusted_ms = now_ms;
    }
    ready->has_looked = true;
    ready->was_trusted = ready->was_trusted || (ready->is_trusted && registration->n_entries > 0);
    ready->is_blank = registration->n_entries > 0 && registration_is_as(registration, "", false);
    if (ready->is_blank && !was_blank) {
        ready->blank_ms = now_ms;
    }
}

/* Another replica leads and does not write the caBundles: it is of a former version, and writes
   those of a configuration of another name. It ends when this replica is ready, not sooner. To be
   ready does no harm: without a caBundle nobody is called. */
static bool waits_in_vain(const struct rotate_ready *ready, const struct rotate_ready_view *view) {
    return !view->leads && !ready->was_trusted && ready->is_blank &&
           view->now_ms >= ready->blank_ms + ROTATE_READY_LEADER_PATIENCE_MS;
}

/* "<host>_<random> leads and", or the like: the beginning of a sentence about the one who writes.
 */
static void name_leader(const struct rotate_ready_view *view, char out[WHO_SIZE]) {
    if (view->leader[0] == '\0') {
        snprintf(out, WHO_SIZE, "nobody leads; when a replica holds the Lease capstan, it");
    } else {
        snprintf(out, WHO_SIZE, "%s%s%s leads and", view->leads ? "this replica, " : "",
                 view->leader, view->leads ? "," : "");
    }
}

static void explain_trust(const struct rotate_ready *ready, const struct rotate_ready_view *view,
                          const char *who, struct buffer *out) {
    bool is_blink =
        ready->was_trusted && view->now_ms < ready->untrusted_ms + ROTATE_READY_BLINK_MS;
    if (ready->is_trusted || is_blink || waits_in_vain(ready, view)) {
        return;
    }
    for (size_t i = 0; i < view->registration->n_entries; i++) {
        if (ready->distrusts[i]) {
            buffer_add_format(out,
                              "caBundle of entry %s does not trust the certificate that is served: "
                              "%s writes it into %s; see registration.contested and "
                              "certificate.failed in its log\n",
                              view->registration->entries[i].name, who, view->config_name);
        }
    }
}

void rotate_ready_explain(const struct rotate_ready *ready, const struct rotate_ready_view *view,
                          struct buffer *out) {
    char who[WHO_SIZE];
    name_leader(view, who);
    if (view->served->id[0] == '\0') {
        buffer_add_format(
            out,
            "certificate: there is none in the Secret " KEYRING_SECRET_NAME
            "%s: %s makes it; see certificate.failed and clock.disagrees in its log\n",
            view->secret == RENEWAL_SECRET_UNKNOWN ? ", which could not be read yet" : "", who);
        return;
    }
    if (!served_explain_dates(view->served, view->wall_s, out)) {
        buffer_add_format(out,
                          "certificate: %s renews it; see certificate.failed and clock.disagrees "
                          "in its log\n",
                          who);
    }
    if (view->webhook == RENEWAL_WEBHOOK_UNKNOWN) {
        buffer_add_format(out,
                          "caBundle: the webhook configuration %s could not be read yet; see "
                          "watch.failed in the log\n",
                          view->config_name);
    } else if (view->webhook == RENEWAL_WEBHOOK_PRESENT) {
        explain_trust(ready, view, who, out);
    }
}
