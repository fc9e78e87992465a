// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_PROXY_H
#define EDGE_KUBE_KUBE_PROXY_H

/*
 * The proxy on the way to an API server, as kubectl takes it: `proxy-url` of the cluster in the
 * kubeconfig, or else the environment.
 * https://pkg.go.dev/golang.org/x/net/http/httpproxy
 */

#include <stdbool.h>

#include "edge/kubeconfig.h"

/* The fault of a proxy's URL, a literal; NULL if it has none. It must be http, https or socks5, in
   any case of letters. */
const char *kube_proxy_fault(const char *url);

/* Makes a URL without a fault libcurl's: the scheme in small letters, and socks5 as socks5h, since
   Go lets the proxy look up the name. */
void kube_proxy_normalize(char **url);

/* Sets the proxy of an access that has none, from HTTPS_PROXY or HTTP_PROXY (by the scheme of the
   server) and NO_PROXY, whose names in small letters serve as well. Never for a loopback address,
   and never in a pod: there the API server is inside the cluster. ERROR_INVALID if the variable has
   no URL of a proxy. */
bool kube_proxy_from_environment(struct kube_access *access, struct error *error) MUST_CHECK;

#endif
