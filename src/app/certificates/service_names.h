// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_SERVICE_NAMES_H
#define APP_CERTIFICATES_SERVICE_NAMES_H

/*
 * The names of a Service. The first, SERVICE.NAMESPACE.svc, is the one that kube-apiserver calls.
 * https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
 */

#include <stddef.h>

enum { SERVICE_NAMES_MAX = 4, SERVICE_NAME_SIZE = 256 };

struct service_names {
    char texts[SERVICE_NAMES_MAX][SERVICE_NAME_SIZE];
    const char *items[SERVICE_NAMES_MAX]; /* into texts, so do not copy the struct */
    size_t n_items;
};

void service_names_make(const char *service, const char *namespace,
                        struct service_names *ret_names);

#endif
