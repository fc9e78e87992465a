// SPDX-License-Identifier: Apache-2.0
#include "key_pair.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/x509.h"

enum { PEM_MAX = 1 << 20, PATH_SIZE = 4096, TRIES = 5 };

static bool read_pem(const char *folder, const char *name, struct buffer *pem,
                     struct error *error) {
    char path[PATH_SIZE];
    buffer_fini(pem);
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

/* Both through one folder, so that they are of one version of a mounted Secret. If that is gone
   before both are read, there is a newer one. */
static bool read_both(const char *folder, const char *certificate_name, const char *key_name,
                      struct buffer *chain, struct buffer *key, struct error *error) {
    for (int n_left = TRIES; n_left > 0; n_left--) {
        AUTO_FREE char *place = file_resolve_volume(folder);
        bool is_read = read_pem(place, certificate_name, chain, error) &&
                       read_pem(place, key_name, key, error);
        if (is_read || error->kind != ERROR_NOT_FOUND || strcmp(place, folder) == 0) {
            return is_read;
        }
        wipe(chain);
        wipe(key);
    }
    return false;
}

bool key_pair_load(const char *folder, const char *certificate_name, const char *key_name,
                   struct http_server *server, struct key_pair *pair, struct error *error) {
    AUTO(buffer_fini) struct buffer chain = {.bytes = NULL};
    AUTO(wipe) struct buffer key = {.bytes = NULL};
    struct x509_info info;
    if (!read_both(folder, certificate_name, key_name, &chain, &key, error)) {
        return false;
    }
    if (!x509_check_pair(buffer_text(&chain), buffer_text(&key), clock_wall_seconds(), &info,
                         error) ||
        !http_set_key_pair(server, buffer_text(&chain), buffer_text(&key), error)) {
        return error_wrap(error, "%s/%s and %s", folder, certificate_name, key_name);
    }
    pair->expires = info.not_after;
    pair->has_name = pair->dns_name == NULL || x509_has_name(buffer_text(&chain), pair->dns_name);
    return true;
}
