// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "edge/x509.h"
#include "x509_pem.h"

static bool read_subject(X509 *certificate, struct x509_info *info, struct error *error) {
    AUTO(x509_auto_bio) BIO *text = BIO_new(BIO_s_mem());
    if (text == NULL ||
        X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0 ||
        BIO_write(text, "", 1) != 1) {
        return x509_fail(error, ERROR_INTERNAL, "reading the certificate's subject");
    }
    const char *subject = NULL;
    BIO_get_mem_data(text, &subject);
    text_copy(info->subject, sizeof(info->subject), subject);
    return true;
}

static bool read_info(X509 *certificate, struct x509_info *info, struct error *error) {
    return x509_read_time(X509_get0_notBefore(certificate), &info->not_before, error) &&
           x509_read_time(X509_get0_notAfter(certificate), &info->not_after, error) &&
           read_subject(certificate, info, error);
}

static bool check_dates(const struct x509_info *info, int64_t now, struct error *error) {
    char date[TEXT_TIME_SIZE];
    if (now < info->not_before) {
        text_format_time(date, info->not_before);
        return error_set(error, ERROR_INVALID, "the certificate is not valid before %s", date);
    }
    if (now > info->not_after) {
        text_format_time(date, info->not_after);
        return error_set(error, ERROR_INVALID, "the certificate expired on %s", date);
    }
    return true;
}

bool x509_check_pair(const char *chain_pem, const char *key_pem, int64_t now,
                     struct x509_info *ret_info, struct error *error) {
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    AUTO(x509_auto_key) EVP_PKEY *key = NULL;
    if (!x509_read_chain(chain_pem, &chain, error) || !x509_read_key(key_pem, &key, error)) {
        return false;
    }
    X509 *certificate = sk_X509_value(chain, 0);
    struct x509_info info = {0};
    if (!read_info(certificate, &info, error)) {
        return false;
    }
    if (X509_check_private_key(certificate, key) != 1) {
        ERR_clear_error();
        return error_set(error, ERROR_INVALID, "the key is not that of the certificate");
    }
    if (!check_dates(&info, now, error)) {
        return false;
    }
    *ret_info = info;
    return true;
}

bool x509_has_name(const char *chain_pem, const char *dns_name) {
    /* To OpenSSL a leading dot stands for any name below. */
    if (dns_name[0] == '\0' || dns_name[0] == '.') {
        return false;
    }
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    struct error ignored;
    if (!x509_read_chain(chain_pem, &chain, &ignored)) {
        return false;
    }
    /* As Go verifies: a common name is no name of the host, and a star is a whole label. */
    unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    bool has_name = X509_check_host(sk_X509_value(chain, 0), dns_name, 0, flags, NULL) == 1;
    ERR_clear_error();
    return has_name;
}
