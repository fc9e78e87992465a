// SPDX-License-Identifier: Apache-2.0
#include "x509_strict.h"

#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/attribute.h"
#include "base/text.h"
#include "x509_pem.h"

enum {
    RSA_BITS_MIN = 1024,      /* crypto/rsa verifies by no smaller key */
    RSA_BITS_MAX_SENT = 8192, /* crypto/tls takes no larger one from a peer */
    IPV4_SIZE = 4,
    IPV6_SIZE = 16,
    POINT_UNCOMPRESSED = 4,
};

/* A certificate, and where it stands in its chain. */
struct link {
    X509 *certificate;
    X509 *leaf;   /* of the chain */
    int depth;    /* 0: the leaf */
    bool is_last; /* it is trusted, so nobody verifies its own signature */
};

static bool is_serial_natural(const struct link *link) {
    return X509_get0_serialNumber(link->certificate)->type != V_ASN1_NEG_INTEGER;
}

static bool are_algorithms_equal(const struct link *link) {
    const X509_ALGOR *outer;
    X509_get0_signature(NULL, &outer, link->certificate);
    return X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(link->certificate)) == 0;
}

static const ASN1_OBJECT *id_of(const struct link *link, int place) {
    return X509_EXTENSION_get_object(X509_get_ext(link->certificate, place));
}

static bool is_each_extension_once(const struct link *link) {
    int n = X509_get_ext_count(link->certificate);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) {
            if (OBJ_cmp(id_of(link, i), id_of(link, k)) == 0) {
                return false;
            }
        }
    }
    return true;
}

/* RFC 5280 wants these never to be critical. */
static bool are_hints_not_critical(const struct link *link) {
    static const int hints[] = {NID_subject_key_identifier, NID_authority_key_identifier,
                                NID_info_access};
    for (size_t i = 0; i < COUNT_OF(hints); i++) {
        int place = X509_get_ext_by_NID(link->certificate, hints[i], -1);
        if (place >= 0 && X509_EXTENSION_get_critical(X509_get_ext(link->certificate, place))) {
            return false;
        }
    }
    return true;
}

static void auto_names(GENERAL_NAMES **names) {
    GENERAL_NAMES_free(*names);
}

static bool is_ascii(const ASN1_STRING *text) {
    const unsigned char *bytes = ASN1_STRING_get0_data(text);
    for (int i = 0; i < ASN1_STRING_length(text); i++) {
        if (bytes[i] > 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_name_readable(const GENERAL_NAME *name) {
    int kind;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);
    int size;
    switch (kind) {
    case GEN_DNS:
    case GEN_EMAIL:
    case GEN_URI:
        return is_ascii(value);
    case GEN_IPADD:
        size = ASN1_STRING_length(value);
        return size == IPV4_SIZE || size == IPV6_SIZE;
    default:
        return true;
    }
}

static bool are_names_readable(const struct link *link) {
    int state;
    AUTO(auto_names)
    GENERAL_NAMES *names = X509_get_ext_d2i(link->certificate, NID_subject_alt_name, &state, NULL);
    if (names == NULL) {
        return state == -1; /* there are none */
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (!is_name_readable(sk_GENERAL_NAME_value(names, i))) {
            return false;
        }
    }
    return true;
}

static void auto_constraints(NAME_CONSTRAINTS **constraints) {
    NAME_CONSTRAINTS_free(*constraints);
}

static bool are_constraints_readable(const struct link *link) {
    int state;
    AUTO(auto_constraints)
    NAME_CONSTRAINTS *constraints =
        X509_get_ext_d2i(link->certificate, NID_name_constraints, &state, NULL);
    if (constraints == NULL) {
        return state == -1; /* there are none */
    }
    return sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees) > 0 ||
           sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees) > 0;
}

static bool is_access_readable(const struct link *link) {
    int state;
    AUTHORITY_INFO_ACCESS *access =
        X509_get_ext_d2i(link->certificate, NID_info_access, &state, NULL);
    bool is_readable = access != NULL || state == -1;
    AUTHORITY_INFO_ACCESS_free(access);
    return is_readable;
}

/* The key as it stands in the certificate. */
struct key {
    int algorithm;      /* NID */
    int parameters;     /* the type of the parameters: V_ASN1_... */
    int curve;          /* NID; NID_undef without a named one */
    bool is_compressed; /* of an EC point */
    int bits;
};

static struct key read_key(const struct link *link) {
    struct key key = {.curve = NID_undef};
    const ASN1_OBJECT *object;
    ASN1_OBJECT *algorithm;
    const void *value;
    const unsigned char *point;
    int size;
    X509_ALGOR *algor;
    EVP_PKEY *loaded = X509_get0_pubkey(link->certificate);
    X509_PUBKEY_get0_param(&algorithm, &point, &size, &algor,
                           X509_get_X509_PUBKEY(link->certificate));
    X509_ALGOR_get0(&object, &key.parameters, &value, algor);
    key.algorithm = OBJ_obj2nid(algorithm);
    key.curve = key.parameters == V_ASN1_OBJECT ? OBJ_obj2nid(value) : NID_undef;
    key.is_compressed = size > 0 && point[0] != POINT_UNCOMPRESSED;
    key.bits = loaded != NULL ? EVP_PKEY_get_bits(loaded) : 0;
    return key;
}

/* Go parses a key that it does not know, and then verifies nothing by it. */
static bool is_key_readable(const struct link *link) {
    struct key key = read_key(link);
    switch (key.algorithm) {
    case NID_rsaEncryption:
        return key.parameters == V_ASN1_NULL;
    case NID_X9_62_id_ecPublicKey:
        return !key.is_compressed &&
               (key.curve == NID_secp224r1 || key.curve == NID_X9_62_prime256v1 ||
                key.curve == NID_secp384r1 || key.curve == NID_secp521r1);
    case NID_ED25519:
        return key.parameters == V_ASN1_UNDEF;
    default:
        return true;
    }
}

static bool is_key_known(const struct link *link) {
    int algorithm = read_key(link).algorithm;
    return algorithm == NID_rsaEncryption || algorithm == NID_X9_62_id_ecPublicKey ||
           algorithm == NID_ED25519;
}

static bool is_key_long(const struct link *link) {
    struct key key = read_key(link);
    return key.algorithm != NID_rsaEncryption || key.bits >= RSA_BITS_MIN;
}

static bool is_key_of_a_peer(const struct link *link) {
    struct key key = read_key(link);
    return key.algorithm != NID_rsaEncryption || key.bits <= RSA_BITS_MAX_SENT;
}

static bool is_digest_known(const struct link *link) {
    int digest;
    int key;
    uint32_t flags;
    if (link->is_last) {
        return true;
    }
    if (X509_get_signature_info(link->certificate, &digest, &key, NULL, &flags) != 1) {
        return false;
    }
    bool is_sha2 = digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
    switch (key) {
    case NID_rsaEncryption:
    case NID_X9_62_id_ecPublicKey:
        return is_sha2;
    case NID_rsassaPss: /* with a salt as long as the digest, and that digest in the mask */
        return is_sha2 && (flags & X509_SIG_INFO_TLS) != 0;
    default:
        return key == NID_ED25519;
    }
}

static bool has_empty_usage(const struct link *link) {
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(link->certificate, NID_ext_key_usage, NULL, NULL);
    bool is_empty = usages != NULL && sk_ASN1_OBJECT_num(usages) == 0;
    EXTENDED_KEY_USAGE_free(usages);
    return is_empty;
}

/* OpenSSL's purpose "server" also checks keyUsage and the old Netscape types, and no usage of a
   CA. Go checks extendedKeyUsage alone, of the whole chain; an empty one is none. */
static bool may_serve(const struct link *link) {
    uint32_t usage = X509_get_extended_key_usage(link->certificate);
    return usage == UINT32_MAX || (usage & (XKU_SSL_SERVER | XKU_ANYEKU)) != 0 ||
           has_empty_usage(link);
}

/* Without basicConstraints, OpenSSL accepts a CA of version 3 that has keyUsage keyCertSign or an
   old Netscape type. */
static bool may_sign(const struct link *link) {
    enum { BY_CONSTRAINTS = 1, AS_ROOT_OF_VERSION_1 = 3 };
    int reason = link->depth == 0 ? BY_CONSTRAINTS : X509_check_ca(link->certificate);
    return reason == BY_CONSTRAINTS || (reason == AS_ROOT_OF_VERSION_1 && link->is_last);
}

/* Certificates of a CA for itself count, too. */
static bool is_path_short(const struct link *link) {
    long longest = link->depth == 0 ? -1 : X509_get_pathlen(link->certificate);
    return longest < 0 || link->depth - 1 <= longest;
}

static bool has_names_of_go(const struct link *link) {
    AUTO(auto_names)
    GENERAL_NAMES *names = X509_get_ext_d2i(link->certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int kind = sk_GENERAL_NAME_value(names, i)->type;
        if (kind == GEN_DNS || kind == GEN_EMAIL || kind == GEN_URI || kind == GEN_IPADD) {
            return true;
        }
    }
    return false;
}

static bool are_subtrees_of_go(const STACK_OF(GENERAL_SUBTREE) * subtrees) {
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
        int kind = sk_GENERAL_SUBTREE_value(subtrees, i)->base->type;
        if (kind != GEN_DNS && kind != GEN_EMAIL && kind != GEN_URI && kind != GEN_IPADD) {
            return false;
        }
    }
    return true;
}

static bool has_constraints_of_go(const struct link *link) {
    AUTO(auto_constraints)
    NAME_CONSTRAINTS *constraints =
        X509_get_ext_d2i(link->certificate, NID_name_constraints, NULL, NULL);
    return constraints != NULL && are_subtrees_of_go(constraints->permittedSubtrees) &&
           are_subtrees_of_go(constraints->excludedSubtrees);
}

/* True if the name "*.a" covers the name "x.a" or "y.x.a". */
static bool covers(const ASN1_STRING *star, const ASN1_STRING *name) {
    int size = ASN1_STRING_length(star) - 1;
    int name_size = ASN1_STRING_length(name);
    const char *end = (const char *)ASN1_STRING_get0_data(star) + 1;
    const char *text = (const char *)ASN1_STRING_get0_data(name);
    return size > 1 && end[-1] == '*' && name_size > size &&
           strncasecmp(text + name_size - size, end, (size_t)size) == 0;
}

static bool excludes(const NAME_CONSTRAINTS *constraints, const ASN1_STRING *star) {
    const STACK_OF(GENERAL_SUBTREE) *excluded = constraints->excludedSubtrees;
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(excluded); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(excluded, i)->base;
        if (base->type == GEN_DNS && covers(star, base->d.dNSName)) {
            return true;
        }
    }
    return false;
}

/* A star stands for names that the constraints exclude, too. OpenSSL takes it as a name. */
static bool are_stars_permitted(const struct link *link) {
    AUTO(auto_constraints)
    NAME_CONSTRAINTS *constraints =
        X509_get_ext_d2i(link->certificate, NID_name_constraints, NULL, NULL);
    AUTO(auto_names)
    GENERAL_NAMES *names = X509_get_ext_d2i(link->leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; constraints != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS && excludes(constraints, name->d.dNSName)) {
            return false;
        }
    }
    return true;
}

static bool is_understood(const struct link *link, int id) {
    switch (id) {
    case NID_basic_constraints:
    case NID_key_usage:
    case NID_ext_key_usage:
    case NID_crl_distribution_points:
    case NID_certificate_policies:
    case NID_policy_mappings:
    case NID_policy_constraints:
    case NID_inhibit_any_policy:
        return true;
    case NID_subject_alt_name:
        return has_names_of_go(link);
    case NID_name_constraints:
        return has_constraints_of_go(link);
    default:
        return false;
    }
}

static bool is_all_understood(const struct link *link) {
    for (int i = 0; i < X509_get_ext_count(link->certificate); i++) {
        if (X509_EXTENSION_get_critical(X509_get_ext(link->certificate, i)) &&
            !is_understood(link, OBJ_obj2nid(id_of(link, i)))) {
            return false;
        }
    }
    return true;
}

struct rule {
    bool (*is_met)(const struct link *link);
    const char *complaint; /* ends a sentence that begins with the certificate */
};

/* Go cannot parse a certificate that breaks one of these. */
static const struct rule parsing[] = {
    {is_serial_natural, "has a negative serial number"},
    {are_algorithms_equal, "names two different algorithms for its signature"},
    {is_each_extension_once, "has an extension twice"},
    {are_hints_not_critical, "marks a key identifier or authorityInfoAccess as critical"},
    {are_names_readable, "has a subjectAltName that cannot be read"},
    {are_constraints_readable, "has nameConstraints that are empty or cannot be read"},
    {is_access_readable, "has an authorityInfoAccess that cannot be read"},
    {is_key_readable, "has a key that Go cannot read: it needs RSA with NULL parameters, Ed25519, "
                      "or an uncompressed point on P-224, P-256, P-384 or P-521"},
};

static const struct rule chaining[] = {
    {may_sign, "may sign no others (basicConstraints)"},
    {may_serve, "is not made for a server: its extendedKeyUsage lacks serverAuth"},
    {is_key_known, "has a key that is neither RSA, nor ECDSA, nor Ed25519"},
    {is_key_long, "has an RSA key of less than 1024 bits"},
    {is_digest_known, "is signed with a digest other than SHA-256, SHA-384 or SHA-512"},
    {is_path_short, "allows fewer CAs below it (pathlen)"},
    {are_stars_permitted, "excludes a name that a wildcard of the certificate stands for"},
    {is_all_understood, "has a critical extension that Go does not know"},
};

static const struct rule sending[] = {
    {is_key_of_a_peer, "has an RSA key of more than 8192 bits"},
};

static bool check(const struct rule *rules, size_t n_rules, const struct link *link,
                  struct error *error) {
    for (size_t i = 0; i < n_rules; i++) {
        if (!rules[i].is_met(link)) {
            ERR_clear_error();
            return error_set(error, ERROR_INVALID, "%s %s",
                             link->depth == 0 ? "the certificate" : "a CA of the certificate",
                             rules[i].complaint);
        }
    }
    ERR_clear_error();
    return true;
}

/* Both ends belong to the life of a certificate. OpenSSL ends it a second sooner. */
static bool is_valid_at(const struct link *link, int64_t now, struct error *error) {
    int64_t begins;
    int64_t ends;
    char date[TEXT_TIME_SIZE];
    const char *what = link->depth == 0 ? "the certificate" : "a CA of the certificate";
    if (!x509_read_time(X509_get0_notBefore(link->certificate), &begins, error) ||
        !x509_read_time(X509_get0_notAfter(link->certificate), &ends, error)) {
        return false;
    }
    text_format_time(date, now < begins ? begins : ends);
    if (now < begins) {
        return error_set(error, ERROR_INVALID, "%s is not valid before %s", what, date);
    }
    return now <= ends || error_set(error, ERROR_INVALID, "%s expired on %s", what, date);
}

bool x509_strict_sent(STACK_OF(X509) * sent, struct error *error) {
    for (int i = 0; i < sk_X509_num(sent); i++) {
        const struct link link = {.certificate = sk_X509_value(sent, i), .depth = i};
        if (!check(parsing, COUNT_OF(parsing), &link, error) ||
            !check(sending, COUNT_OF(sending), &link, error)) {
            return false;
        }
    }
    return true;
}

bool x509_strict_chain(STACK_OF(X509) * chain, int64_t now, struct error *error) {
    int n = sk_X509_num(chain);
    for (int i = 0; i < n; i++) {
        const struct link link = {.certificate = sk_X509_value(chain, i),
                                  .leaf = sk_X509_value(chain, 0),
                                  .depth = i,
                                  .is_last = i == n - 1};
        if (!check(parsing, COUNT_OF(parsing), &link, error) ||
            !check(chaining, COUNT_OF(chaining), &link, error) || !is_valid_at(&link, now, error)) {
            return false;
        }
    }
    return true;
}
