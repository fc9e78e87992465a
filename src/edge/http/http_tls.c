// SPDX-License-Identifier: Apache-2.0
#include "http_tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "edge/http_tls.h"

enum { CHAIN_MAX = 16, KEY_ID_MAX = 64 };

/* All of these ciphers have forward secrecy and authenticated encryption. */
static const char PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:"
                                 "-AES-128-CBC:-AES-256-CBC:%SERVER_PRECEDENCE";

struct key_pair {
    unsigned references; /* under the mutex of struct http_tls */
    unsigned chain_size;
    gnutls_pcert_st chain[CHAIN_MAX];
    gnutls_privkey_t key;
};

struct http_tls {
    pthread_mutex_t mutex;
    struct key_pair *current; /* NULL before the first pair */
};

static void key_pair_free(struct key_pair *pair) {
    if (pair == NULL) {
        return;
    }
    for (unsigned i = 0; i < pair->chain_size; i++) {
        gnutls_pcert_deinit(&pair->chain[i]);
    }
    if (pair->key != NULL) {
        gnutls_privkey_deinit(pair->key);
    }
    free(pair);
}

static void key_pair_auto_free(struct key_pair **pair) {
    key_pair_free(*pair);
}

static void key_pair_unref(struct http_tls *tls, struct key_pair *pair) {
    if (pair == NULL) {
        return;
    }
    pthread_mutex_lock(&tls->mutex);
    bool is_last = --pair->references == 0;
    pthread_mutex_unlock(&tls->mutex);
    if (is_last) {
        key_pair_free(pair);
    }
}

struct http_tls *http_tls_new(void) {
    struct http_tls *tls = memory_new(1, sizeof *tls);
    pthread_mutex_init(&tls->mutex, NULL);
    return tls;
}

void http_tls_free(struct http_tls *tls) {
    if (tls == NULL) {
        return;
    }
    key_pair_unref(tls, tls->current);
    pthread_mutex_destroy(&tls->mutex);
    free(tls);
}

static gnutls_datum_t datum(const char *text) {
    return (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)strlen(text)};
}

/* Says what to fix. GnuTLS says "Base64 unexpected header error" if the text has no header at
   all. */
static const char *reason(int status) {
    switch (status) {
    case GNUTLS_E_NO_CERTIFICATE_FOUND:
    case GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR:
    case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
        return "there is none in the text";
    case GNUTLS_E_DECRYPTION_FAILED:
        return "it is protected by a password";
    default:
        return gnutls_strerror(status);
    }
}

static bool fail(struct error *error, const char *what, int status) {
    return error_set(error, ERROR_INVALID, "the %s cannot be read: %s", what, reason(status));
}

bool http_tls_read_validity(const char *chain_pem, struct http_tls_validity *ret_validity,
                            struct error *error) {
    gnutls_datum_t chain = datum(chain_pem);
    gnutls_x509_crt_t first;
    gnutls_x509_crt_init(&first);
    int status = gnutls_x509_crt_import(first, &chain, GNUTLS_X509_FMT_PEM);
    struct http_tls_validity validity = {gnutls_x509_crt_get_activation_time(first),
                                         gnutls_x509_crt_get_expiration_time(first)};
    gnutls_x509_crt_deinit(first);
    if (status < 0) {
        return fail(error, "certificate", status);
    }
    *ret_validity = validity;
    return true;
}

static bool import(struct key_pair *pair, const char *chain_pem, const char *key_pem,
                   struct error *error) {
    gnutls_datum_t chain = datum(chain_pem);
    gnutls_datum_t key = datum(key_pem);
    unsigned n = CHAIN_MAX;
    int status = gnutls_pcert_list_import_x509_raw(pair->chain, &n, &chain, GNUTLS_X509_FMT_PEM,
                                                   GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (status < 0) {
        return fail(error, "certificate", status);
    }
    pair->chain_size = n;
    gnutls_privkey_init(&pair->key);
    status = gnutls_privkey_import_x509_raw(pair->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    return status >= 0 || fail(error, "key", status);
}

static bool is_pair(const struct key_pair *pair) {
    unsigned char ids[2][KEY_ID_MAX];
    size_t sizes[2] = {KEY_ID_MAX, KEY_ID_MAX};
    gnutls_pubkey_t public_half = NULL;
    gnutls_pubkey_init(&public_half);
    bool matches =
        gnutls_pubkey_import_privkey(public_half, pair->key, 0, 0) >= 0 &&
        gnutls_pubkey_get_key_id(public_half, GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) >= 0 &&
        gnutls_pubkey_get_key_id(pair->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, ids[1],
                                 &sizes[1]) >= 0 &&
        sizes[0] == sizes[1] && memcmp(ids[0], ids[1], sizes[0]) == 0;
    gnutls_pubkey_deinit(public_half);
    return matches;
}

/* The server signs each handshake. GnuTLS refuses to sign if the certificate does not allow it. */
static bool may_sign(const struct key_pair *pair) {
    unsigned usage = 0;
    return gnutls_pubkey_get_key_usage(pair->chain[0].pubkey, &usage) < 0 || usage == 0 ||
           (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) != 0;
}

bool http_tls_set_key_pair(struct http_tls *tls, const char *chain_pem, const char *key_pem,
                           struct error *error) {
    AUTO(key_pair_auto_free) struct key_pair *pair = memory_new(1, sizeof *pair);
    if (!import(pair, chain_pem, key_pem, error)) {
        return false;
    }
    if (!is_pair(pair)) {
        return error_set(error, ERROR_INVALID, "the key is not that of the certificate");
    }
    if (!may_sign(pair)) {
        return error_set(
            error, ERROR_INVALID,
            "the certificate's keyUsage lacks digitalSignature, so that it cannot serve");
    }
    pair->references = 1;
    pthread_mutex_lock(&tls->mutex);
    struct key_pair *superseded = tls->current;
    tls->current = TAKE(pair);
    pthread_mutex_unlock(&tls->mutex);
    key_pair_unref(tls, superseded);
    return true;
}

/* GnuTLS asks for the key pair of a handshake. After a hello retry it asks twice. */
static int on_handshake(gnutls_session_t gnutls_session, const struct gnutls_cert_retr_st *info,
                        gnutls_pcert_st **chain, unsigned *chain_size, gnutls_ocsp_data_st **ocsp,
                        unsigned *ocsp_size, gnutls_privkey_t *key, unsigned *flags) {
    (void)info;
    struct http_tls_session *session = gnutls_db_get_ptr(gnutls_session);
    if (session->pair == NULL) {
        pthread_mutex_lock(&session->tls->mutex);
        session->pair = session->tls->current;
        if (session->pair != NULL) {
            session->pair->references++;
        }
        pthread_mutex_unlock(&session->tls->mutex);
    }
    if (session->pair == NULL) {
        return -1;
    }
    *chain = session->pair->chain;
    *chain_size = session->pair->chain_size;
    *ocsp = NULL;
    *ocsp_size = 0;
    *key = session->pair->key;
    *flags = 0;
    return 0;
}

void http_tls_fill_options(struct MHD_OptionItem out[HTTP_TLS_N_OPTIONS]) {
    gnutls_certificate_retrieve_function3 *const function = on_handshake;
    out[0] = (struct MHD_OptionItem){
        .option = MHD_OPTION_HTTPS_CERT_CALLBACK2,
        .ptr_value = (void *)(intptr_t)function,
    };
    out[1] = (struct MHD_OptionItem){
        .option = MHD_OPTION_HTTPS_PRIORITIES,
        .ptr_value = (void *)(intptr_t)PRIORITIES,
    };
    /* MHD would offer HTTP/1.0, and would continue with a client that wants only HTTP/2. */
    out[2] = (struct MHD_OptionItem){.option = MHD_OPTION_TLS_NO_ALPN, .value = 1};
    out[3] = (struct MHD_OptionItem){.option = MHD_OPTION_END};
}

void http_tls_open(struct http_tls *tls, struct http_tls_session *session, void *gnutls_session) {
    const gnutls_datum_t protocol = datum("http/1.1");
    session->tls = tls;
    session->pair = NULL;
    gnutls_alpn_set_protocols(gnutls_session, &protocol, 1, GNUTLS_ALPN_MANDATORY);
    /* The certificate callback gets only the GnuTLS session, and MHD owns its user pointer. The
       pointer of the session cache is free, since the cache is not used. */
    gnutls_db_set_ptr(gnutls_session, session);
}

void http_tls_close(struct http_tls_session *session) {
    if (session->tls != NULL) {
        key_pair_unref(session->tls, session->pair);
    }
    *session = (struct http_tls_session){0};
}
