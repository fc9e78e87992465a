// SPDX-License-Identifier: Apache-2.0
#include "kube_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "edge/clock.h"
#include "kube_fault.h"

struct kube_call *kube_call_new(const struct kube_curl *curl, const struct kube_request *request) {
    size_t body_size = request->body == NULL ? 0 : request->body_size;
    struct kube_call *call = memory_new(1, sizeof(*call));
    call->curl = curl;
    call->verb = request->verb;
    call->path = memory_copy(request->path, strlen(request->path));
    call->body = memory_copy(request->body == NULL ? "" : request->body, body_size);
    call->body_size = body_size;
    call->timeout_ms = request->timeout_ms;
    call->deadline_ms = clock_boot_ms() + request->timeout_ms;
    call->done = request->done;
    call->context = request->context;
    kube_incoming_init(&call->incoming, request);
    return call;
}

void kube_call_free(struct kube_call *call) {
    kube_incoming_fini(&call->incoming);
    free(call->path);
    free(call->body);
    free(call);
}

int kube_call_status(const struct kube_call *call) {
    long status = 0;
    if (call->easy == NULL) {
        return 0;
    }
    call->curl->easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    /* "100 Continue" is not an answer. */
    return status < HTTP_STATUS_OK ? 0 : (int)status;
}

static struct kube_subject subject_of(const struct kube_call *call) {
    return (struct kube_subject){.verb = call->verb, .path = call->path};
}

void kube_call_end(struct kube_call *call, CURLcode code) {
    const struct kube_incoming *incoming = &call->incoming;
    struct kube_subject subject = subject_of(call);
    int status = incoming->status;
    if (incoming->is_too_large) {
        kube_fault_too_large(&subject, incoming->answer_max, &call->error);
    } else if (code != CURLE_OK && !incoming->is_refusal_cut) {
        const char *reason =
            call->reason[0] == '\0' ? call->curl->easy_strerror(code) : call->reason;
        kube_fault_broken(&subject, status, reason, &call->error);
    } else if (!http_status_is_success(status)) {
        kube_fault_refused(&subject, status, incoming->bytes.bytes, incoming->bytes.size,
                           &call->error);
    } else {
        call->is_good = true;
    }
    call->state = KUBE_CALL_ENDED;
}

void kube_call_end_late(struct kube_call *call) {
    struct kube_subject subject = subject_of(call);
    call->incoming.status = kube_call_status(call);
    kube_fault_late(&subject, call->incoming.status, call->timeout_ms, &call->error);
    call->state = KUBE_CALL_ENDED;
}

void kube_call_end_failed(struct kube_call *call, const struct error *error) {
    struct kube_subject subject = subject_of(call);
    call->error = *error;
    kube_fault_wrap(&subject, &call->error);
    call->state = KUBE_CALL_ENDED;
}

void kube_call_answer(struct kube_call *call) {
    struct kube_incoming *incoming = &call->incoming;
    struct kube_answer answer = {
        .is_good = call->is_good,
        .status = incoming->status,
        .retry_after_ms = incoming->retry_after_ms,
    };
    if (!call->is_good) {
        answer.error = call->error;
    }
    if (!kube_incoming_is_stream(incoming)) {
        answer.body_size = incoming->bytes.size;
        answer.body = buffer_text(&incoming->bytes);
    }
    call->done(call->context, &answer);
    buffer_fini(&incoming->bytes);
}
