// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "edge/file.h"
#include "edge/kubeconfig.h"
#include "kube_text.h"

enum { NAMESPACE_FILE_MAX = 4096 };

static const char advice[] = "outside of a cluster give --kubeconfig FILE";

static bool make_server(char **ret_server, struct error *error) {
    static const char host_bytes[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:";
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT_HTTPS");
    const char *port_name = "KUBERNETES_SERVICE_PORT_HTTPS";
    int64_t number;
    if (port == NULL || *port == '\0') {
        port_name = "KUBERNETES_SERVICE_PORT";
        port = getenv(port_name);
    }
    if (host == NULL || *host == '\0' || port == NULL || *port == '\0') {
        return error_set(error, ERROR_NOT_FOUND, "this is not a pod, since %s is not set; %s",
                         host == NULL || *host == '\0' ? "KUBERNETES_SERVICE_HOST" : port_name,
                         advice);
    }
    if (host[strspn(host, host_bytes)] != '\0') {
        return error_set(error, ERROR_INVALID,
                         "KUBERNETES_SERVICE_HOST is '%.64s', which is no host", host);
    }
    if (!text_parse_integer(port, 1, 65535, &number)) {
        return error_set(error, ERROR_INVALID, "%s is '%.64s', which is no port", port_name, port);
    }
    bool is_ipv6 = strchr(host, ':') != NULL;
    *ret_server =
        memory_format(is_ipv6 ? "https://[%s]:%u" : "https://%s:%u", host, (unsigned)number);
    return true;
}

/* A pod whose token is mounted by hand may be without the file. */
static bool read_namespace(const char *folder, char **ret_namespace, struct error *error) {
    AUTO(buffer_fini) struct buffer content;
    AUTO_FREE char *path = memory_format("%s/namespace", folder);
    struct error problem;
    buffer_init(&content, NAMESPACE_FILE_MAX);
    bool is_read = file_read(path, &content, &problem);
    if (!is_read && problem.kind != ERROR_NOT_FOUND) {
        *error = problem;
        return false;
    }
    const char *text = is_read ? buffer_text(&content) : "";
    AUTO_FREE char *namespace = memory_copy(text, strlen(text));
    kube_text_trim(namespace);
    if (*namespace == '\0') {
        *ret_namespace = memory_copy("default", 7);
        return true;
    }
    if (!text_is_dns_label(namespace)) {
        return error_set(error, ERROR_INVALID, "what is in '%.128s' is not the name of a namespace",
                         path);
    }
    *ret_namespace = TAKE(namespace);
    return true;
}

bool kubeconfig_from_pod(const char *folder, struct kube_access *ret_access, struct error *error) {
    AUTO(kube_access_fini) struct kube_access found = {.server = NULL};
    found.ca_file = memory_format("%s/ca.crt", folder);
    found.token_file = memory_format("%s/token", folder);
    if (!make_server(&found.server, error)) {
        return false;
    }
    if (access(found.token_file, F_OK) != 0) {
        return error_set(error, ERROR_NOT_FOUND,
                         "the pod has no service account token in '%.64s' (see "
                         "automountServiceAccountToken); %s",
                         folder, advice);
    }
    if (!read_namespace(folder, &found.namespace, error)) {
        return false;
    }
    *ret_access = TAKE(found);
    return true;
}
