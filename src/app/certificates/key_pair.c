// SPDX-License-Identifier: Apache-2.0
#include "key_pair.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/http_tls.h"
#include "edge/x509.h"
#include "validity.h"

enum { PEM_MAX = 1 << 20, PATH_SIZE = 4096, TRIES = 5 };

static bool read_pem(const char *folder, const char *name, struct buffer *pem,
                     struct error *error) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return file_read(path, pem, error);
}

/* Reads both files through one resolved folder, so that they belong to one version of a mounted
   Secret. If that version goes away meanwhile, there is a newer one: tries again. */
static bool read_both(const char *folder, const char *certificate_name, const char *key_name,
                      struct buffer *chain, struct buffer *key, struct error *error) {
    for (int n_left = TRIES; n_left > 0; n_left--) {
        AUTO_FREE char *place = file_resolve_volume(folder);
        bool is_read = read_pem(place, certificate_name, chain, error) &&
                       read_pem(place, key_name, key, error);
        if (is_read || error->kind != ERROR_NOT_FOUND || strcmp(place, folder) == 0) {
            return is_read;
        }
    }
    return false;
}

/* The API server would refuse a certificate that is not valid now. */
static bool is_valid_now(const struct http_tls_validity *validity, struct error *error) {
    int64_t now = clock_wall_seconds();
    char date[TEXT_TIME_SIZE];
    bool is_early = now < validity->not_before;
    text_format_time(date, is_early ? validity->not_before : validity->not_after);
    return (!is_early && now <= validity->not_after) ||
           error_set(error, ERROR_INVALID, "the certificate %s %s",
                     is_early ? "is not valid before" : "expired on", date);
}

/* The second certificate of the file counts only if it is the issuer: others may lie there as well,
   and nobody needs them. */
static void read_issuer(const char *chain_pem, const struct http_tls_validity *leaf,
                        struct key_pair *pair) {
    AUTO(x509_bundle_fini) struct x509_bundle chain = {.n_items = 0};
    struct error ignored;
    pair->issuer_begins = leaf->not_before;
    pair->issuer_expires = leaf->not_after;
    if (x509_read_bundle(chain_pem, &chain, &ignored) && chain.n_items > 1 &&
        x509_is_issued_by(chain_pem, chain.items[1].pem)) {
        pair->issuer_begins = chain.items[1].not_before;
        pair->issuer_expires = chain.items[1].not_after;
    }
}

bool key_pair_load(const char *folder, const char *certificate_name, const char *key_name,
                   struct http_server *server, struct key_pair *pair, struct error *error) {
    AUTO(buffer_fini) struct buffer chain;
    AUTO(buffer_fini) struct buffer key;
    struct http_tls_validity validity;
    buffer_init(&chain, PEM_MAX);
    buffer_init_secret(&key, PEM_MAX);
    if (!read_both(folder, certificate_name, key_name, &chain, &key, error)) {
        return false;
    }
    if (!http_tls_read_validity(buffer_text(&chain), &validity, error) ||
        !is_valid_now(&validity, error) ||
        !http_set_key_pair(server, buffer_text(&chain), buffer_text(&key), error)) {
        return error_wrap(error, "%s/%s and %s", folder, certificate_name, key_name);
    }
    pair->begins = validity.not_before;
    pair->expires = validity.not_after;
    read_issuer(buffer_text(&chain), &validity, pair);
    pair->has_name = pair->dns_name == NULL || x509_has_name(buffer_text(&chain), pair->dns_name);
    return true;
}

void key_pair_why_unready(const struct key_pair *pair, int64_t wall_s, struct buffer *out) {
    bool has_issuer = pair->issuer_begins != pair->begins || pair->issuer_expires != pair->expires;
    bool is_valid = validity_explain("certificate from --webhook-cert-path", pair->begins,
                                     pair->expires, wall_s, out);
    bool is_issuer_valid =
        !has_issuer || validity_explain("issuer of the certificate from --webhook-cert-path",
                                        pair->issuer_begins, pair->issuer_expires, wall_s, out);
    if (!is_valid || !is_issuer_valid) {
        buffer_add_text(out, "certificate: see to what renews the files; this replica is ready "
                             "again as soon as it has read valid ones\n");
    }
}

bool key_pair_is_trusted(const char *folder, const char *certificate_name, const char *dns_name,
                         const char *bundle_pem) {
    AUTO(buffer_fini) struct buffer chain;
    AUTO_FREE char *place = file_resolve_volume(folder);
    struct error ignored;
    buffer_init(&chain, PEM_MAX);
    return read_pem(place, certificate_name, &chain, &ignored) &&
           x509_verify(buffer_text(&chain), bundle_pem, dns_name, clock_wall_seconds(), &ignored);
}
