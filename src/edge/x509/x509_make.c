// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/memory.h"
#include "base/text.h"
#include "edge/x509.h"
#include "x509_pem.h"

enum { COMMON_NAME_MAX = 64, SERIAL_BITS = 128, BACKDATED_SECONDS = 3600 };

/* 9999-12-31T23:59:59Z, the last moment that a certificate can express. */
#define TIME_MAX INT64_C(253402300799)

struct validity {
    int64_t not_before;
    int64_t not_after;
};

/* A literal in OpenSSL's extension syntax. Never put names into one: a comma would begin another
   name. */
struct extension {
    int nid;
    const char *value;
};

void x509_pair_fini(struct x509_pair *pair) {
    free(pair->certificate_pem);
    memory_free_secret(pair->key_pem);
    *pair = (struct x509_pair){0};
}

static bool find_validity(int64_t now, int64_t lifetime_seconds, struct validity *ret_validity,
                          struct error *error) {
    if (lifetime_seconds <= 0 || now < 0 || now > TIME_MAX || lifetime_seconds > TIME_MAX - now) {
        return error_set(error, ERROR_INVALID,
                         "a certificate's life must be longer than 0 and end before the year "
                         "10000");
    }
    *ret_validity = (struct validity){now - BACKDATED_SECONDS, now + lifetime_seconds};
    return true;
}

static void free_number(BIGNUM **number) {
    BN_free(*number);
}

static bool set_serial(X509 *certificate) {
    AUTO(free_number) BIGNUM *number = BN_new();
    return number != NULL && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
           BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
}

static bool set_subject(X509 *certificate, const char *common_name) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1, -1, 0) == 1;
}

static X509 *begin_certificate(EVP_PKEY *key, const struct validity *validity) {
    AUTO(x509_auto_certificate) X509 *certificate = X509_new();
    if (certificate == NULL || X509_set_version(certificate, X509_VERSION_3) != 1 ||
        !set_serial(certificate) || X509_set_pubkey(certificate, key) != 1 ||
        ASN1_TIME_set(X509_getm_notBefore(certificate), validity->not_before) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(certificate), validity->not_after) == NULL) {
        return NULL;
    }
    return TAKE(certificate);
}

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *extensions,
                           size_t n_extensions) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    for (size_t i = 0; i < n_extensions; i++) {
        X509_EXTENSION *extension =
            X509V3_EXT_nconf_nid(NULL, &context, extensions[i].nid, extensions[i].value);
        bool is_added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        if (!is_added) {
            return false;
        }
    }
    return true;
}

static bool sign(X509 *certificate, EVP_PKEY *key) {
    bool has_own_digest = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
    return X509_sign(certificate, key, has_own_digest ? NULL : EVP_sha256()) > 0;
}

static bool write_pair(X509 *certificate, EVP_PKEY *key, struct x509_pair *ret_pair,
                       struct error *error) {
    AUTO(x509_pair_fini) struct x509_pair pair = {0};
    if (!x509_write_certificate(certificate, &pair.certificate_pem, error) ||
        !x509_write_key(key, &pair.key_pem, error)) {
        return false;
    }
    *ret_pair = TAKE(pair);
    return true;
}

bool x509_make_ca(const char *common_name, int64_t now, int64_t lifetime_seconds,
                  struct x509_pair *ret_pair, struct error *error) {
    static const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:TRUE"},
        {NID_key_usage, "critical,keyCertSign,cRLSign"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
    };
    size_t name_size = strlen(common_name);
    if (name_size == 0 || name_size > COMMON_NAME_MAX) {
        return error_set(error, ERROR_INVALID, "a CA's name must have 1 to %d bytes",
                         COMMON_NAME_MAX);
    }
    struct validity validity;
    if (!find_validity(now, lifetime_seconds, &validity, error)) {
        return false;
    }
    AUTO(x509_auto_key) EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(x509_auto_certificate) X509 *ca = key == NULL ? NULL : begin_certificate(key, &validity);
    if (ca == NULL || !set_subject(ca, common_name) ||
        X509_set_issuer_name(ca, X509_get_subject_name(ca)) != 1 ||
        !add_extensions(ca, ca, extensions, COUNT_OF(extensions)) || !sign(ca, key)) {
        return x509_fail(error, ERROR_INTERNAL, "making a CA");
    }
    return write_pair(ca, key, ret_pair, error);
}

/* If the last label is a number, the name is a mistyped address. */
static bool is_host_name(const char *name) {
    const char *rest = strncmp(name, "*.", 2) == 0 ? name + 2 : name;
    const char *dot = strrchr(rest, '.');
    const char *last = dot == NULL ? rest : dot + 1;
    return text_is_dns_name(rest) && last[strspn(last, "0123456789")] != '\0';
}

static bool set_name_value(GENERAL_NAME *entry, int type, const void *bytes, size_t size) {
    ASN1_STRING *value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (value == NULL || ASN1_STRING_set(value, bytes, (int)size) != 1) {
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(entry, type, value);
    return true;
}

static bool add_name(GENERAL_NAMES *names, const char *name, struct error *error) {
    unsigned char address[16];
    int type = GEN_IPADD;
    const void *bytes = address;
    size_t size = 0;
    if (inet_pton(AF_INET, name, address) == 1) {
        size = 4;
    } else if (inet_pton(AF_INET6, name, address) == 1) {
        size = 16;
    } else if (is_host_name(name)) {
        type = GEN_DNS;
        bytes = name;
        size = strlen(name);
    } else {
        return error_set(error, ERROR_INVALID, "'%.128s' is neither a DNS name nor an IP address",
                         name);
    }
    GENERAL_NAME *entry = GENERAL_NAME_new();
    if (entry == NULL || !set_name_value(entry, type, bytes, size) ||
        sk_GENERAL_NAME_push(names, entry) == 0) {
        GENERAL_NAME_free(entry);
        return x509_fail(error, ERROR_INTERNAL, "adding a name");
    }
    return true;
}

static void free_names(GENERAL_NAMES **names) {
    GENERAL_NAMES_free(*names);
}

static bool read_names(const char *const *names, size_t n_names, GENERAL_NAMES **ret_names,
                       struct error *error) {
    if (n_names == 0) {
        return error_set(error, ERROR_INVALID, "a serving certificate needs at least one name");
    }
    AUTO(free_names) GENERAL_NAMES *read = GENERAL_NAMES_new();
    if (read == NULL) {
        return x509_fail(error, ERROR_INTERNAL, "reading names");
    }
    for (size_t i = 0; i < n_names; i++) {
        if (!add_name(read, names[i], error)) {
            return false;
        }
    }
    *ret_names = TAKE(read);
    return true;
}

/* Reads the first certificate of the text and its key. Refuses them if it is not a CA or the key is
   another one. */
static bool read_ca(const struct x509_pair *pair, X509 **ret_ca, EVP_PKEY **ret_key,
                    struct error *error) {
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    AUTO(x509_auto_key) EVP_PKEY *key = NULL;
    if (!x509_read_chain(pair->certificate_pem, &chain, error) ||
        !x509_read_key(pair->key_pem, &key, error)) {
        return error_wrap(error, "the CA");
    }
    X509 *ca = sk_X509_value(chain, 0);
    if (X509_check_ca(ca) != 1) {
        return error_set(error, ERROR_INVALID, "the certificate of the CA is not that of a CA");
    }
    if (X509_check_private_key(ca, key) != 1) {
        ERR_clear_error();
        return error_set(error, ERROR_INVALID, "the key of the CA is not that of its certificate");
    }
    *ret_ca = sk_X509_shift(chain);
    *ret_key = TAKE(key);
    return true;
}

static bool limit_validity(X509 *ca, int64_t now, struct validity *validity, struct error *error) {
    int64_t ca_not_after;
    if (!x509_read_time(X509_get0_notAfter(ca), &ca_not_after, error)) {
        return error_wrap(error, "the CA");
    }
    if (ca_not_after <= now) {
        char date[TEXT_TIME_SIZE];
        text_format_time(date, ca_not_after);
        return error_set(error, ERROR_INVALID, "the CA expired on %s", date);
    }
    validity->not_after = MIN(validity->not_after, ca_not_after);
    return true;
}

static X509 *make_leaf(X509 *ca, EVP_PKEY *key, const struct validity *validity,
                       GENERAL_NAMES *names, const char *first_name) {
    static const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
    };
    AUTO(x509_auto_certificate) X509 *leaf = begin_certificate(key, validity);
    bool has_subject = strlen(first_name) <= COMMON_NAME_MAX;
    /* Old CAs may lack a key identifier. */
    bool has_key_id = X509_get0_subject_key_id(ca) != NULL;
    size_t n_extensions = has_key_id ? COUNT_OF(extensions) : COUNT_OF(extensions) - 1;
    if (leaf == NULL || (has_subject && !set_subject(leaf, first_name)) ||
        X509_set_issuer_name(leaf, X509_get_subject_name(ca)) != 1 ||
        !add_extensions(leaf, ca, extensions, n_extensions) ||
        /* RFC 5280, 4.2.1.6: critical if the subject is empty. */
        X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, !has_subject, X509V3_ADD_DEFAULT) !=
            1) {
        return NULL;
    }
    return TAKE(leaf);
}

bool x509_make_leaf(const struct x509_pair *ca, const char *const *names, size_t n_names,
                    int64_t now, int64_t lifetime_seconds, struct x509_pair *ret_pair,
                    struct error *error) {
    AUTO(free_names) GENERAL_NAMES *alternative_names = NULL;
    AUTO(x509_auto_certificate) X509 *issuer = NULL;
    AUTO(x509_auto_key) EVP_PKEY *issuer_key = NULL;
    struct validity validity;
    if (!read_names(names, n_names, &alternative_names, error) ||
        !find_validity(now, lifetime_seconds, &validity, error) ||
        !read_ca(ca, &issuer, &issuer_key, error) ||
        !limit_validity(issuer, now, &validity, error)) {
        return false;
    }
    AUTO(x509_auto_key) EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(x509_auto_certificate)
    X509 *leaf =
        key == NULL ? NULL : make_leaf(issuer, key, &validity, alternative_names, names[0]);
    if (leaf == NULL || !sign(leaf, issuer_key)) {
        return x509_fail(error, ERROR_INTERNAL, "making a serving certificate");
    }
    return write_pair(leaf, key, ret_pair, error);
}
