// SPDX-License-Identifier: Apache-2.0
#include "http_framing.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

struct headers {
    unsigned n_lengths;
    unsigned n_encodings;
    unsigned n_hosts;
    const char *length;
    bool is_chunked;
    bool is_bad;
};

static bool is_token(const char *name, size_t size) {
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool is_alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alphanumeric && (c == '\0' || strchr(others, c) == NULL)) {
            return false;
        }
    }
    return size > 0;
}

/* MHD glues a folded line to the name and not to the value, so that "Content-: 5", followed by
   " Length", is read as "Content-Length: 5". It then moves the name away from the value. */
static bool is_folded(const char *name, size_t name_size, const char *value) {
    const char *at = name + name_size + 1;
    while ((uintptr_t)at < (uintptr_t)value && (*at == ' ' || *at == '\t')) {
        at++;
    }
    return at != value;
}

static bool is_named(const char *name, size_t size, const char *expected) {
    return size == strlen(expected) && strncasecmp(name, expected, size) == 0;
}

static bool is_decimal(const char *value) {
    return *value != '\0' && value[strspn(value, "0123456789")] == '\0';
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_size, const char *value, size_t value_size) {
    struct headers *headers = context;
    (void)kind;
    if (value == NULL || !is_token(name, name_size) || is_folded(name, name_size, value) ||
        memchr(value, '\r', value_size) != NULL) {
        headers->is_bad = true;
        return MHD_NO;
    }
    if (is_named(name, name_size, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
        headers->n_lengths++;
        headers->length = value;
        headers->is_bad = headers->is_bad || !is_decimal(value);
    } else if (is_named(name, name_size, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        headers->n_encodings++;
        headers->is_chunked = strcasecmp(value, "chunked") == 0;
    } else if (is_named(name, name_size, MHD_HTTP_HEADER_HOST)) {
        headers->n_hosts++;
    }
    return MHD_YES;
}

bool http_framing_read(struct MHD_Connection *mhd, const char *version,
                       struct http_framing *ret_framing) {
    struct headers headers = {0};
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_header, &headers);
    bool has_encoding = headers.n_encodings > 0;
    if (headers.is_bad || headers.n_lengths + headers.n_encodings > 1 || headers.n_hosts > 1 ||
        (has_encoding && (!headers.is_chunked || strcmp(version, "HTTP/1.0") == 0))) {
        return false;
    }
    int64_t announced = 0;
    if (headers.length != NULL && !text_parse_integer(headers.length, 0, INT64_MAX, &announced)) {
        announced = INT64_MAX; /* beyond 63 bits */
    }
    *ret_framing = (struct http_framing){
        .has_body = has_encoding || announced > 0,
        .announced = (uint64_t)announced,
    };
    return true;
}
