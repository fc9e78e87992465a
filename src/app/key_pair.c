// SPDX-License-Identifier: Apache-2.0
#include "key_pair.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/x509.h"

enum { PEM_MAX = 1 << 20, PATH_SIZE = 4096 };

static bool read_pem(const char *folder, const char *name, struct buffer *pem,
                     struct error *error) {
    char path[PATH_SIZE];
    buffer_init(pem, PEM_MAX);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return file_read(path, pem, error);
}

static void wipe(struct buffer *pem) {
    if (pem->bytes != NULL) {
        explicit_bzero(pem->bytes, pem->capacity);
    }
    buffer_fini(pem);
}

bool key_pair_load(const char *folder, const char *certificate_name, const char *key_name,
                   struct http_server *server, int64_t *ret_expires, struct error *error) {
    AUTO(buffer_fini) struct buffer chain = {.bytes = NULL};
    AUTO(wipe) struct buffer key = {.bytes = NULL};
    struct x509_info info;
    if (!read_pem(folder, certificate_name, &chain, error) ||
        !read_pem(folder, key_name, &key, error)) {
        return false;
    }
    if (!x509_check_pair(buffer_text(&chain), buffer_text(&key), clock_wall_seconds(), &info,
                         error) ||
        !http_set_key_pair(server, buffer_text(&chain), buffer_text(&key), error)) {
        return error_wrap(error, "%s/%s and %s", folder, certificate_name, key_name);
    }
    *ret_expires = info.not_after;
    return true;
}
