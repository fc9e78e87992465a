// SPDX-License-Identifier: Apache-2.0
#include "kube_target.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "edge/file.h"
#include "x509/x509_pem.h"

/* The largest file with certificates. All public CAs together take 220 KB. */
enum { PEM_MAX = 4 * 1024 * 1024 };

/* "https://host:port/path". Port and path are optional. */
struct url {
    const char *authority;
    int authority_size; /* with the port */
    int host_size;      /* with the brackets of an IPv6 address */
    bool is_tls;
};

static bool split(const char *text, struct url *ret_url) {
    static const char http[] = "http://";
    static const char https[] = "https://";
    ret_url->is_tls = strncmp(text, https, sizeof(https) - 1) == 0;
    if (!ret_url->is_tls && strncmp(text, http, sizeof(http) - 1) != 0) {
        return false;
    }
    const char *authority = text + (ret_url->is_tls ? sizeof(https) : sizeof(http)) - 1;
    size_t size = strcspn(authority, "/?#");
    const char *bracket = authority[0] == '[' ? memchr(authority, ']', size) : NULL;
    size_t host_size =
        bracket != NULL ? (size_t)(bracket + 1 - authority) : (size_t)strcspn(authority, ":/?#");
    if (host_size == 0 || memchr(authority, '@', size) != NULL ||
        (host_size < size && authority[host_size] != ':') || strpbrk(authority, "?#") != NULL) {
        return false;
    }
    ret_url->authority = authority;
    ret_url->authority_size = (int)size;
    ret_url->host_size = (int)host_size;
    return true;
}

static char *rename_host(const struct url *url, const char *name) {
    bool is_ipv6 = strchr(name, ':') != NULL && name[0] != '[';
    return memory_format(is_ipv6 ? "https://[%s]%s" : "https://%s%s", name,
                         url->authority + url->host_size);
}

bool kube_target_init(const struct kube_curl *curl, const struct kube_access *access,
                      struct kube_target *target, struct error *error) {
    struct url url;
    *target = (struct kube_target){0};
    if (!split(access->server, &url)) {
        return error_set(error, ERROR_INVALID, "the server '%s' is no URL of http or https",
                         access->server);
    }
    if (!url.is_tls || access->tls_server_name == NULL) {
        target->url = memory_copy(access->server, strlen(access->server));
        return true;
    }
    target->url = rename_host(&url, access->tls_server_name);
    target->host_header = memory_format("Host: %.*s", url.authority_size, url.authority);
    /* "::HOST:PORT": any host and any port lead to this host, and to the port of the URL. */
    AUTO_FREE char *connect_to = memory_format("::%.*s:", url.host_size, url.authority);
    target->connect_to = curl->slist_append(NULL, connect_to);
    return true;
}

void kube_target_fini(const struct kube_curl *curl, struct kube_target *target) {
    free(target->url);
    free(target->host_header);
    if (target->connect_to != NULL) {
        curl->slist_free_all(target->connect_to);
    }
    *target = (struct kube_target){0};
}

static bool check_certificates(const char *pem, struct error *error) {
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    return x509_read_chain(pem, &chain, error);
}

static bool check_key(const char *pem, struct error *error) {
    AUTO(x509_auto_key) EVP_PKEY *key = NULL;
    return x509_read_key(pem, &key, error);
}

static bool check_pem(const char *file, const char *pem, const char *what,
                      bool (*check)(const char *pem, struct error *error), struct error *error) {
    if (file == NULL && pem == NULL) {
        return true;
    }
    AUTO(buffer_fini) struct buffer content;
    buffer_init(&content, PEM_MAX);
    if (file != NULL && !file_read(file, &content, error)) {
        return error_wrap(error, "%s", what);
    }
    if (!check(file != NULL ? buffer_text(&content) : pem, error)) {
        return error_wrap(error, file != NULL ? "%s in '%.128s'" : "%s", what, file);
    }
    return true;
}

bool kube_target_check_files(const struct kube_access *access, struct error *error) {
    return check_pem(access->ca_file, access->ca_pem, "the CA of the server", check_certificates,
                     error) &&
           check_pem(access->certificate_file, access->certificate_pem, "the client's certificate",
                     check_certificates, error) &&
           check_pem(access->key_file, access->key_pem, "the client's key", check_key, error);
}
