// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_PLUGIN_TEXT_H
#define EDGE_KUBE_KUBE_PLUGIN_TEXT_H

/*
 * The two ExecCredentials, in JSON: the one a credential plugin is told in its environment, and the
 * one that it prints.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

/* A token, or a certificate and its key, or all three; what is not there is NULL. */
struct kube_plugin_credential {
    char *token;
    char *certificate_pem;
    char *key_pem;
    int64_t expires; /* seconds since 1970; INT64_MAX: never */
};

void kube_plugin_credential_fini(struct kube_plugin_credential *credential);

/* Adds "KUBERNETES_EXEC_INFO={...}". Reads the CA from its file if the plugin wants to know it. */
bool kube_plugin_write_info(const struct kube_access *access, struct buffer *out,
                            struct error *error) MUST_CHECK;

bool kube_plugin_read_output(const char *output, size_t size, const char *api_version,
                             struct kube_plugin_credential *ret_credential,
                             struct error *error) MUST_CHECK;

#endif
