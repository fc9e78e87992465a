// SPDX-License-Identifier: Apache-2.0
#include "kube_incoming.h"

#include <string.h>
#include <strings.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "base/text.h"
#include "kube_text.h"

enum {
    RETRY_AFTER_MAX_S = 3600,
    KEPT_MAX = 64 * 1024, /* memory that a watch keeps between two lines */
};

/* Keys come in Secrets alone. Zeroing the lists of all other objects would take time. */
static bool is_of_secrets(const char *path) {
    return strstr(path, "/secrets") != NULL;
}

void kube_incoming_init(struct kube_incoming *incoming, const struct kube_request *request) {
    *incoming = (struct kube_incoming){.request = request, .retry_after_ms = -1};
    buffer_init(&incoming->bytes, SIZE_MAX);
    incoming->bytes.is_secret = is_of_secrets(request->path);
}

void kube_incoming_restart(struct kube_incoming *incoming) {
    buffer_fini(&incoming->bytes);
    incoming->status = 0;
    incoming->retry_after_ms = -1;
    incoming->is_too_large = false;
    incoming->is_refusal_cut = false;
}

bool kube_incoming_is_stream(const struct kube_incoming *incoming) {
    return incoming->request->verb == KUBE_WATCH && incoming->status == HTTP_STATUS_OK;
}

/* Reads whole seconds only. kube-apiserver sends no dates, and dates would need both clocks to
   agree. */
static int64_t read_retry_after(const char *value, size_t size) {
    AUTO_FREE char *text = memory_copy(value, size);
    int64_t seconds;
    kube_text_trim(text);
    bool is_read = text_parse_integer(text, 0, RETRY_AFTER_MAX_S, &seconds);
    return is_read ? seconds * 1000 : -1;
}

void kube_incoming_add_header(struct kube_incoming *incoming, const char *bytes, size_t size) {
    static const char status_line[] = "HTTP/";
    static const char retry_after[] = "retry-after:";
    size_t name_size = sizeof(retry_after) - 1;
    if (size >= sizeof(status_line) - 1 &&
        memcmp(bytes, status_line, sizeof(status_line) - 1) == 0) {
        incoming->retry_after_ms = -1;
    } else if (size >= name_size && strncasecmp(bytes, retry_after, name_size) == 0) {
        incoming->retry_after_ms = read_retry_after(bytes + name_size, size - name_size);
    }
}

static bool add_body(struct kube_incoming *incoming, const char *bytes, size_t size) {
    bool is_refusal = !http_status_is_success(incoming->status);
    size_t max = is_refusal ? KUBE_REFUSAL_MAX : incoming->request->answer_max;
    size_t room = max - incoming->bytes.size;
    buffer_add(&incoming->bytes, bytes, MIN(size, room));
    if (size <= room) {
        return true;
    }
    incoming->is_refusal_cut = is_refusal;
    incoming->is_too_large = !is_refusal;
    return false;
}

static void hand_out(struct kube_incoming *incoming, const char *line, size_t size) {
    if (size > 0) {
        incoming->has_called = true;
        incoming->request->line(incoming->request->context, line, size);
    }
}

static bool keep_piece(struct kube_incoming *incoming, const char *bytes, size_t size) {
    if (size > incoming->request->answer_max - incoming->bytes.size) {
        incoming->is_too_large = true;
        return false;
    }
    buffer_add(&incoming->bytes, bytes, size);
    return true;
}

static void hand_out_kept(struct kube_incoming *incoming) {
    hand_out(incoming, incoming->bytes.bytes, incoming->bytes.size);
    if (incoming->bytes.capacity > KEPT_MAX) {
        buffer_fini(&incoming->bytes);
    }
    buffer_clear(&incoming->bytes);
}

static bool add_lines(struct kube_incoming *incoming, const char *bytes, size_t size) {
    const char *end = bytes + size;
    while (bytes < end && !incoming->is_stopped) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t piece = (size_t)((newline == NULL ? end : newline) - bytes);
        bool is_whole = newline != NULL && incoming->bytes.size == 0;
        if (is_whole && piece <= incoming->request->answer_max) {
            hand_out(incoming, bytes, piece);
        } else if (!keep_piece(incoming, bytes, piece)) {
            return false;
        } else if (newline != NULL) {
            hand_out_kept(incoming);
        }
        bytes += piece + (newline != NULL);
    }
    return !incoming->is_stopped;
}

bool kube_incoming_add(struct kube_incoming *incoming, const char *bytes, size_t size) {
    if (incoming->is_stopped) {
        return false;
    }
    if (kube_incoming_is_stream(incoming)) {
        return add_lines(incoming, bytes, size);
    }
    return add_body(incoming, bytes, size);
}
