// SPDX-License-Identifier: Apache-2.0
#include "kube_fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/json_fields.h"
#include "base/memory.h"

enum {
    PATH_MAX_SHOWN = 120, /* a long path leaves room for the reason */
    FOREIGN_MAX = 80,     /* bytes of a body that is no Status */
};

const char *kube_fault_verb(enum kube_verb verb) {
    static const char *const names[] = {
        [KUBE_GET] = "GET",     [KUBE_WATCH] = "WATCH",   [KUBE_CREATE] = "POST",
        [KUBE_REPLACE] = "PUT", [KUBE_APPLY] = "PATCH",   [KUBE_MERGE] = "PATCH",
        [KUBE_PATCH] = "PATCH", [KUBE_DELETE] = "DELETE",
    };
    return names[verb];
}

void kube_fault_wrap(const struct kube_request *request, struct error *error) {
    size_t size = strcspn(request->path, "?");
    int shown = (int)MIN(size, (size_t)PATH_MAX_SHOWN);
    error_wrap(error, "%s %.*s%s", kube_fault_verb(request->verb), shown, request->path,
               size > PATH_MAX_SHOWN ? "..." : "");
}

static enum error_kind kind_of(int status) {
    switch (status) {
    case HTTP_STATUS_UNAUTHORIZED:
    case HTTP_STATUS_FORBIDDEN:
        return ERROR_DENIED;
    case HTTP_STATUS_NOT_FOUND:
        return ERROR_NOT_FOUND;
    case HTTP_STATUS_CONFLICT:
        return ERROR_CONFLICT;
    case HTTP_STATUS_GONE:
        return ERROR_EXPIRED;
    case HTTP_STATUS_TOO_MANY_REQUESTS:
        return ERROR_UNAVAILABLE;
    default:
        return http_status_is_client_error(status) ? ERROR_INVALID : ERROR_UNAVAILABLE;
    }
}

/* Makes one line of foreign text, which may have line ends and other control characters. */
static void flatten(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == '\x7f') {
            *text = ' ';
        }
    }
}

struct status {
    char *message;
};

/* Returns the message of a Status
   (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/), or NULL. Of a
   long body only the beginning is here, so the JSON may break off behind the message. */
static char *read_status_message(const char *body, size_t body_size) {
    static const struct json_field rows[] = {JSON_STRING("message", struct status, message)};
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct status status = {.message = NULL};
    struct json_reader reader;
    json_begin(&reader, body, body_size);
    (void)json_read_fields(&reader, &fields, &status);
    return status.message;
}

/* Returns the first line of a body that is plain text, or NULL. The first line of HTML has no news.
 */
static char *read_first_line(const char *body, size_t body_size) {
    size_t begin = 0;
    while (begin < body_size && strchr(" \t\r\n", body[begin]) != NULL && body[begin] != '\0') {
        begin++;
    }
    if (begin == body_size || strchr("<{[\"", body[begin]) != NULL) {
        return NULL;
    }
    size_t room = body_size - begin < FOREIGN_MAX ? body_size - begin : FOREIGN_MAX;
    size_t size = 0;
    while (size < room && strchr("\r\n", body[begin + size]) == NULL) {
        size++;
    }
    return memory_copy(body + begin, size);
}

void kube_fault_refused(const struct kube_request *request, int status, const char *body,
                        size_t body_size, struct error *ret_error) {
    AUTO_FREE char *message = read_status_message(body, body_size);
    /* A 404 without a Status: the path is not served, or a proxy answered. */
    bool is_of_path = status == HTTP_STATUS_NOT_FOUND && message == NULL;
    enum error_kind kind = is_of_path ? ERROR_UNAVAILABLE : kind_of(status);
    if (message == NULL) {
        message = read_first_line(body, body_size);
    }
    if (message == NULL || message[0] == '\0') {
        error_set(ret_error, kind, "%d", status);
    } else {
        flatten(message);
        error_set(ret_error, kind, "%d: %s", status, message);
    }
    kube_fault_wrap(request, ret_error);
}

void kube_fault_broken(const struct kube_request *request, int status, const char *reason,
                       struct error *ret_error) {
    if (status == 0) {
        error_set(ret_error, ERROR_UNAVAILABLE, "no answer: %s", reason);
    } else {
        error_set(ret_error, ERROR_UNAVAILABLE, "%d: the answer broke off: %s", status, reason);
    }
    flatten(ret_error->text);
    kube_fault_wrap(request, ret_error);
}

void kube_fault_late(const struct kube_request *request, int status, struct error *ret_error) {
    if (status == 0) {
        error_set(ret_error, ERROR_TIMEOUT, "no answer within %lld ms",
                  (long long)request->timeout_ms);
    } else {
        error_set(ret_error, ERROR_TIMEOUT, "%d: the answer had no end within %lld ms", status,
                  (long long)request->timeout_ms);
    }
    kube_fault_wrap(request, ret_error);
}

void kube_fault_too_large(const struct kube_request *request, struct error *ret_error) {
    error_set(ret_error, ERROR_TOO_LARGE, "%s is larger than %zu bytes",
              request->verb == KUBE_WATCH ? "a line" : "the answer", request->answer_max);
    kube_fault_wrap(request, ret_error);
}
