// SPDX-License-Identifier: Apache-2.0
#include "ask.h"

#include "edge/clock.h"

enum { ANSWER_MAX = 8 << 20, TIMEOUT_MS = 5000 };

void ask_begin(const struct ask *ask) {
    int64_t left_ms = elect_deadline_ms(ask->elect) - clock_boot_ms();
    const struct kube_request request = {
        .verb = ask->verb,
        .path = ask->path,
        .body = ask->body != NULL ? ask->body->bytes : NULL,
        .body_size = ask->body != NULL ? ask->body->size : 0,
        .timeout_ms = ask->body != NULL ? MIN(left_ms, TIMEOUT_MS) : TIMEOUT_MS,
        .answer_max = ANSWER_MAX,
        .done = ask->done,
        .context = ask->context,
    };
    kube_begin(ask->kube, &request);
}
