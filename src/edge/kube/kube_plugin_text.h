// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_PLUGIN_TEXT_H
#define EDGE_KUBE_KUBE_PLUGIN_TEXT_H

/*
 * Writes and reads the two ExecCredentials in JSON: the one in the environment of a credential
 * plugin, and the one that the plugin prints.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

/* A token, or a certificate and its key, or all three; NULL if missing. */
struct kube_plugin_credential {
    char *token;
    char *certificate_pem;
    char *key_pem;
    int64_t expires; /* seconds since 1970; INT64_MAX: never */
};

void kube_plugin_credential_fini(struct kube_plugin_credential *credential);

/* Appends "KUBERNETES_EXEC_INFO={...}". Reads the file of the CA if the plugin wants the cluster.
 */
bool kube_plugin_write_info(const struct kube_access *access, struct buffer *out,
                            struct error *error) MUST_CHECK;

/* ERROR_INVALID if the output is no ExecCredential of this version, or has no usable credential. */
bool kube_plugin_read_output(const char *output, size_t size, const char *api_version,
                             struct kube_plugin_credential *ret_credential,
                             struct error *error) MUST_CHECK;

#endif
