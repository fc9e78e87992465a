// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_TARGET_H
#define EDGE_KUBE_KUBE_TARGET_H

/*
 * Where requests go, as libcurl wants to be told, from what a kubeconfig says.
 */

#include <stdbool.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"
#include "kube_curl.h"

/* The access with a tls-server-name: the URL has that name in it, since libcurl takes from there
   what it sends as SNI and checks certificates for; the two others lead it back to the server. */
struct kube_target {
    char *url;                     /* what a path is put behind */
    char *host_header;             /* "Host: ...", or NULL for what libcurl says */
    struct curl_slist *connect_to; /* or NULL */
};

/* ERROR_INVALID if the server is no URL. After an error, too, the target is to be given to its
   fini. */
bool kube_target_init(const struct kube_curl *curl, const struct kube_access *access,
                      struct kube_target *target, struct error *error) MUST_CHECK;
void kube_target_fini(const struct kube_curl *curl, struct kube_target *target);

/* Can the CA and the client's pair be read? They are read again with each handshake, but what is
   wrong from the first is better said at once. */
bool kube_target_check_files(const struct kube_access *access, struct error *error) MUST_CHECK;

#endif
