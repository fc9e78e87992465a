// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_TARGET_H
#define EDGE_KUBE_KUBE_TARGET_H

/*
 * The target of requests, from a kubeconfig, in the form that libcurl wants.
 */

#include <stdbool.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"
#include "kube_curl.h"

/* With a tls-server-name, the URL has that name: libcurl takes the SNI and the name of the
   certificate from there. The other two members lead the connection back to the server. */
struct kube_target {
    char *url;                     /* the path of a request follows it */
    char *host_header;             /* "Host: ...", or NULL: libcurl makes it */
    struct curl_slist *connect_to; /* or NULL */
};

/* ERROR_INVALID if the server is not a URL. Call kube_target_fini() after an error too. */
bool kube_target_init(const struct kube_curl *curl, const struct kube_access *access,
                      struct kube_target *target, struct error *error) MUST_CHECK;
void kube_target_fini(const struct kube_curl *curl, struct kube_target *target);

/* Can the CA and the client's pair be read? Each handshake reads them again, but a fault at the
   start should be reported at once. */
bool kube_target_check_files(const struct kube_access *access, struct error *error) MUST_CHECK;

#endif
