// SPDX-License-Identifier: Apache-2.0
#include "kube_proxy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};

/* The size of "http://", or 0. */
static size_t scheme_size(const char *url) {
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0) {
            return strlen(schemes[i]);
        }
    }
    return 0;
}

const char *kube_proxy_fault(const char *url) {
    size_t size = scheme_size(url);
    if (size == 0) {
        return "must begin with http://, https:// or socks5://";
    }
    for (const char *at = url; *at != '\0'; at++) {
        if (*at <= 0x20 || *at >= 0x7f) {
            return "has a character that no URL can have";
        }
    }
    const char *authority = url + size;
    size_t authority_size = strcspn(authority, "/?#");
    const char *at = memchr(authority, '@', authority_size);
    const char *host = at == NULL ? authority : at + 1;
    return host == authority + authority_size || *host == ':' ? "has no host" : NULL;
}

void kube_proxy_normalize(char **url) {
    size_t size = scheme_size(*url);
    for (size_t i = 0; i < size; i++) {
        (*url)[i] = (char)tolower((unsigned char)(*url)[i]);
    }
    if (strncmp(*url, "socks5://", 9) == 0) {
        char *changed = memory_format("socks5h://%s", *url + 9);
        memory_free_secret(*url);
        *url = changed;
    }
}

/* The value of NAME, or of the name in small letters. NULL if both are missing or empty. */
static const char *variable(const char *name) {
    char small[32];
    const char *value = getenv(name);
    if (value == NULL || *value == '\0') {
        size_t size = strlen(name);
        for (size_t i = 0; i <= size; i++) {
            small[i] = (char)tolower((unsigned char)name[i]);
        }
        value = getenv(small);
    }
    return value == NULL || *value == '\0' ? NULL : value;
}

static bool is_loopback(const char *server) {
    const char *host = strstr(server, "://") + 3;
    size_t size = strcspn(host, ":/");
    bool is_name = size == strlen("localhost") && strncasecmp(host, "localhost", size) == 0;
    bool is_ipv4 = strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] != '-' &&
                   strspn(host, "0123456789.") == size;
    return is_name || is_ipv4 || strncmp(host, "[::1]", 5) == 0;
}

bool kube_proxy_from_environment(struct kube_access *access, struct error *error) {
    bool is_tls = strncmp(access->server, "https", 5) == 0;
    const char *name = is_tls ? "HTTPS_PROXY" : "HTTP_PROXY";
    const char *value = variable(name);
    const char *exceptions = variable("NO_PROXY");
    bool is_pod = getenv("KUBERNETES_SERVICE_HOST") != NULL;
    if (access->proxy != NULL || value == NULL || is_pod || is_loopback(access->server)) {
        return true;
    }
    bool has_scheme = strstr(value, "://") != NULL;
    AUTO_FREE_SECRET char *url = memory_format("%s%s", has_scheme ? "" : "http://", value);
    const char *fault = kube_proxy_fault(url);
    if (fault != NULL) {
        return error_set(error, ERROR_INVALID, "the environment variable %s %s", name, fault);
    }
    kube_proxy_normalize(&url);
    access->proxy = TAKE(url);
    if (exceptions != NULL) {
        access->no_proxy = memory_copy(exceptions, strlen(exceptions));
    }
    return true;
}
