// SPDX-License-Identifier: Apache-2.0
#include "audit_ask.h"

#include "base/attribute.h"
#include "base/http_status.h"
#include "edge/clock.h"

enum {
    TIMEOUT_MS = 30000,
    ANSWER_MAX = 64 << 20,
    RETRIES_MAX = 3,
    PATIENCE_MS = 10000, /* all pauses of a request together */
    PAUSE_MS = 250,
    PAUSE_MAX_MS = 2000,
};

void audit_patience_init(struct audit_patience *patience) {
    *patience = (struct audit_patience){
        .backoff = {.base_ms = PAUSE_MS, .cap_ms = PAUSE_MAX_MS},
        .left_ms = PATIENCE_MS,
    };
}

/* An answer that breaks off has the status that it began with. */
static bool is_passing(const struct audit_reply *reply) {
    bool is_lost = reply->error.kind == ERROR_UNAVAILABLE &&
                   (reply->status == 0 || http_status_is_success(reply->status));
    return !reply->is_good && (is_lost || reply->status == HTTP_STATUS_TOO_MANY_REQUESTS ||
                               http_status_is_server_error(reply->status));
}

/* One client alone needs no jitter. */
int64_t audit_patience_next(struct audit_patience *patience, const struct audit_reply *reply) {
    if (!is_passing(reply) || patience->backoff.n_failures == RETRIES_MAX) {
        return -1;
    }
    int64_t pause_ms = MAX(backoff_next(&patience->backoff, 0), reply->retry_after_ms);
    if (pause_ms > patience->left_ms) {
        return -1;
    }
    patience->left_ms -= pause_ms;
    return pause_ms;
}

bool audit_reply_is_too_large(const struct audit_reply *reply) {
    return !reply->is_good &&
           (reply->error.kind == ERROR_TOO_LARGE || reply->error.kind == ERROR_TIMEOUT);
}

static void on_answer(void *context, const struct kube_answer *answer) {
    struct audit_reply *reply = context;
    reply->is_answered = true;
    reply->is_good = answer->is_good;
    reply->status = answer->status;
    reply->retry_after_ms = answer->retry_after_ms;
    reply->error = answer->error;
    if (answer->is_good) {
        buffer_add(&reply->body, answer->body, answer->body_size);
    }
}

static void ask_once(struct kube *kube, const char *path, struct audit_reply *ret_reply) {
    const struct kube_request request = {
        .verb = KUBE_GET,
        .path = path,
        .timeout_ms = TIMEOUT_MS,
        .answer_max = ANSWER_MAX,
        .done = on_answer,
        .context = ret_reply,
    };
    *ret_reply = (struct audit_reply){.is_answered = false};
    buffer_init(&ret_reply->body, SIZE_MAX);
    kube_begin(kube, &request);
    while (!ret_reply->is_answered) {
        kube_wait(kube, NULL, 0, TIMEOUT_MS);
    }
}

static void pause_for(struct kube *kube, int64_t pause_ms) {
    int64_t end_ms = clock_boot_ms() + pause_ms;
    for (int64_t now_ms = clock_boot_ms(); now_ms < end_ms; now_ms = clock_boot_ms()) {
        kube_wait(kube, NULL, 0, end_ms - now_ms);
    }
}

void audit_ask(struct kube *kube, const char *path, struct audit_reply *ret_reply) {
    struct audit_patience patience;
    audit_patience_init(&patience);
    ask_once(kube, path, ret_reply);
    for (;;) {
        int64_t pause_ms = audit_patience_next(&patience, ret_reply);
        if (pause_ms < 0) {
            return;
        }
        buffer_fini(&ret_reply->body);
        pause_for(kube, pause_ms);
        ask_once(kube, path, ret_reply);
    }
}
