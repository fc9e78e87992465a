// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBECONFIG_H
#define EDGE_KUBECONFIG_H

/*
 * Where the API server is, and who asks: read from a kubeconfig file as kubectl reads it, or taken
 * from what the kubelet gives to every pod. Nothing is sent from here.
 *
 * A file that is named in the kubeconfig is not read but remembered, since it may be replaced while
 * the program runs (tokens are, and CAs); relative paths in it start at the kubeconfig's folder.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"

/* A program that prints a credential: `exec` in a kubeconfig,
   https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
struct kube_plugin {
    char *api_version;  /* client.authentication.k8s.io/v1 or /v1beta1 */
    char **command;     /* with its arguments; the last is NULL */
    char **environment; /* "NAME=value", to be set besides what is there; the last is NULL */
    char *install_hint; /* or NULL */
    bool wants_cluster; /* provideClusterInfo */
};

/* Each text is NULL where it is not given. Of a pair ..._file and ..._pem at most one is, and a
   certificate comes with a key. */
struct kube_access {
    char *server;    /* "https://10.0.0.1:6443", perhaps with a path; no slash at the end */
    char *namespace; /* of the context or of the pod; never NULL */
    char *ca_file;
    char *ca_pem;
    char *tls_server_name;
    char *plugin_config; /* JSON of the cluster that is meant for its credential plugin */
    bool is_insecure;    /* insecure-skip-tls-verify */
    char *certificate_file;
    char *certificate_pem;
    char *key_file;
    char *key_pem;
    char *token;
    char *token_file;           /* wins over the token */
    struct kube_plugin *plugin; /* not run where there is a token or a token_file */
};

void kube_access_fini(struct kube_access *access);

/* Reads a kubeconfig of at most 4 MiB; `context` is the one to use, or NULL for its
   current-context. Errors name the path, and the key that is missing or wrong: ERROR_NOT_FOUND (the
   file, or a name in it), ERROR_INVALID, ERROR_TOO_LARGE, ERROR_UNAVAILABLE. What is not supported
   (username and password, auth-provider, proxy-url, impersonation) is refused rather than left out.
   Only what the context uses is looked at. */
bool kubeconfig_read(const char *path, const char *context, struct kube_access *ret_access,
                     struct error *error) MUST_CHECK;

/* What a pod has: KUBERNETES_SERVICE_HOST and _PORT_HTTPS (or _PORT), and the files in `folder`,
   which is KUBECONFIG_POD_FOLDER but for tests. ERROR_NOT_FOUND outside of a pod. */
#define KUBECONFIG_POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"
bool kubeconfig_from_pod(const char *folder, struct kube_access *ret_access,
                         struct error *error) MUST_CHECK;

#endif
