// SPDX-License-Identifier: Apache-2.0
#include "kube_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "edge/clock.h"
#include "kube_fault.h"

struct kube_call *kube_call_new(const struct kube_curl *curl, const struct kube_request *request) {
    struct kube_call *call = memory_new(1, sizeof(*call));
    call->curl = curl;
    call->request = *request;
    call->request.body_size = request->body == NULL ? 0 : request->body_size;
    call->request.path = call->path = memory_copy(request->path, strlen(request->path));
    call->request.body = call->body = memory_copy(request->body, call->request.body_size);
    call->began_ms = clock_boot_ms();
    call->deadline_ms = call->began_ms + request->timeout_ms;
    kube_incoming_init(&call->incoming, &call->request);
    return call;
}

void kube_call_free(struct kube_call *call) {
    buffer_fini(&call->incoming.bytes);
    free(call->path);
    memory_wipe(call->body, call->request.body_size);
    free(call->body);
    free(call);
}

int kube_call_status(const struct kube_call *call) {
    long status = 0;
    if (call->easy != NULL) {
        call->curl->easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    }
    /* "100 Continue" is not an answer. */
    return status < HTTP_STATUS_OK ? 0 : (int)status;
}

void kube_call_end(struct kube_call *call, CURLcode code) {
    const struct kube_incoming *incoming = &call->incoming;
    const struct kube_request *request = &call->request;
    int status = incoming->status;
    if (incoming->is_too_large) {
        kube_fault_too_large(request, &call->error);
    } else if (code != CURLE_OK && !incoming->is_refusal_cut) {
        const char *reason =
            call->reason[0] == '\0' ? call->curl->easy_strerror(code) : call->reason;
        kube_fault_broken(request, status, reason, &call->error);
    } else if (!http_status_is_success(status)) {
        kube_fault_refused(request, status, incoming->bytes.bytes, incoming->bytes.size,
                           &call->error);
    } else {
        call->is_good = true;
    }
    call->state = KUBE_CALL_ENDED;
}

void kube_call_end_late(struct kube_call *call) {
    call->incoming.status = kube_call_status(call);
    kube_fault_late(&call->request, call->incoming.status, &call->error);
    call->state = KUBE_CALL_ENDED;
}

void kube_call_end_failed(struct kube_call *call, const struct error *error) {
    call->error = *error;
    kube_fault_wrap(&call->request, &call->error);
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
    call->request.done(call->request.context, &answer);
    buffer_fini(&incoming->bytes);
}
