// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_HTTP_STATUS_H
#define BASE_HTTP_STATUS_H

/*
 * The HTTP statuses (RFC 9110) that Capstan answers with, or treats in a way of their own.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_STATUS_OK = 200,
    HTTP_STATUS_CREATED = 201,
    HTTP_STATUS_BAD_REQUEST = 400,
    HTTP_STATUS_UNAUTHORIZED = 401,
    HTTP_STATUS_FORBIDDEN = 403,
    HTTP_STATUS_NOT_FOUND = 404,
    HTTP_STATUS_CONFLICT = 409,
    HTTP_STATUS_GONE = 410, /* to a watch: the version it begins at has expired */
    HTTP_STATUS_CONTENT_TOO_LARGE = 413,
    HTTP_STATUS_UNPROCESSABLE = 422,
    HTTP_STATUS_TOO_MANY_REQUESTS = 429,
    HTTP_STATUS_INTERNAL_ERROR = 500,
    HTTP_STATUS_UNAVAILABLE = 503,
};

static inline bool http_status_is_success(int64_t status) {
    return status >= 200 && status <= 299;
}

static inline bool http_status_is_client_error(int64_t status) {
    return status >= 400 && status <= 499;
}

static inline bool http_status_is_server_error(int64_t status) {
    return status >= 500 && status <= 599;
}

#endif
