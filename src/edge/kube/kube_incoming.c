// SPDX-License-Identifier: Apache-2.0
#include "kube_incoming.h"

#include <string.h>
#include <strings.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "base/text.h"
#include "edge/clock.h"
#include "kube_date.h"
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
    incoming->has_date = false;
    incoming->is_too_large = false;
    incoming->is_refusal_cut = false;
}

bool kube_incoming_is_stream(const struct kube_incoming *incoming) {
    return incoming->request->verb == KUBE_WATCH && incoming->status == HTTP_STATUS_OK;
}

/* Reads whole seconds only. kube-apiserver sends no dates, and dates would need both clocks to
   agree. */
static int64_t read_retry_after(const char *text) {
    int64_t seconds;
    bool is_read = text_parse_integer(text, 0, RETRY_AFTER_MAX_S, &seconds);
    return is_read ? seconds * 1000 : -1;
}

/* Returns a copy of the value, to be freed, if the line has this name. Else NULL. */
static char *read_value(const char *bytes, size_t size, const char *name) {
    size_t name_size = strlen(name);
    if (size <= name_size || strncasecmp(bytes, name, name_size) != 0 || bytes[name_size] != ':') {
        return NULL;
    }
    char *value = memory_copy(bytes + name_size + 1, size - name_size - 1);
    kube_text_trim(value);
    return value;
}

void kube_incoming_add_header(struct kube_incoming *incoming, const char *bytes, size_t size) {
    static const char status_line[] = "HTTP/";
    if (size >= sizeof(status_line) - 1 &&
        memcmp(bytes, status_line, sizeof(status_line) - 1) == 0) {
        incoming->retry_after_ms = -1;
        incoming->has_date = false;
        return;
    }
    AUTO_FREE char *retry_after = read_value(bytes, size, "retry-after");
    AUTO_FREE char *date = read_value(bytes, size, "date");
    if (retry_after != NULL) {
        incoming->retry_after_ms = read_retry_after(retry_after);
    } else if (date != NULL) {
        incoming->has_date = kube_date_read(date, clock_wall_seconds(), &incoming->date_s);
        incoming->date_at_ms = clock_boot_ms();
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
    incoming->n_bytes += size;
    if (kube_incoming_is_stream(incoming)) {
        return add_lines(incoming, bytes, size);
    }
    return add_body(incoming, bytes, size);
}
