// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBECONFIG_H
#define EDGE_KUBECONFIG_H

/*
 * The address of the API server, and the credentials for it: from a kubeconfig, read as kubectl
 * reads it, or from what the kubelet gives to every pod. This module sends nothing.
 *
 * It remembers the files that a kubeconfig names and does not read them, since tokens and CAs may
 * be replaced while the program runs. Relative paths start at the folder of the kubeconfig.
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
    char **environment; /* "NAME=value", added to our environment; the last is NULL */
    char *install_hint; /* or NULL */
    bool wants_cluster; /* provideClusterInfo */
};

/* A text is NULL if it is not given. Of ..._file and ..._pem at most one is given. A certificate
   comes with a key. */
struct kube_access {
    char *server;    /* "https://10.0.0.1:6443", perhaps with a path; no slash at the end */
    char *namespace; /* from the context or the pod; never NULL */
    char *ca_file;
    char *ca_pem;
    char *tls_server_name;
    char *proxy;         /* a URL of http, https or socks5h, for libcurl */
    char *no_proxy;      /* hosts without it, as NO_PROXY has them */
    char *plugin_config; /* JSON that the cluster has for its credential plugin */
    bool is_insecure;    /* insecure-skip-tls-verify */
    char *certificate_file;
    char *certificate_pem;
    char *key_file;
    char *key_pem;
    char *token;
    char *token_file;           /* wins over the token */
    struct kube_plugin *plugin; /* not used if there is a token or a token_file */
    char **impersonation;       /* headers, "Impersonate-User: jane"; the last is NULL */
};

void kube_access_fini(struct kube_access *access);

/* Reads a kubeconfig of at most 4 MiB, and only the parts that the context uses. `path` NULL means
   the service account of the pod, `context` NULL the kubeconfig's current-context. Errors name the
   path, and the key that is missing or wrong: ERROR_NOT_FOUND (the file, or a name in it),
   ERROR_INVALID, ERROR_TOO_LARGE, ERROR_UNAVAILABLE. Unsupported keys (username and password,
   auth-provider) are errors. Outside of a pod the environment may name a proxy. The caller owns the
   access. */
bool kubeconfig_read(const char *path, const char *context, struct kube_access *ret_access,
                     struct error *error) MUST_CHECK;

/* The same, but where `path` is NULL, as kubectl: the files in KUBECONFIG, separated by colons and
   merged (of two things of one name the first counts, and files that are not there do not); or in a
   pod its service account; or ~/.kube/config. For commands that people start. */
bool kubeconfig_find(const char *path, const char *context, struct kube_access *ret_access,
                     struct error *error) MUST_CHECK;

/* Reads what a pod has: KUBERNETES_SERVICE_HOST and _PORT_HTTPS (or _PORT), and the files in
   `folder`, which is KUBECONFIG_POD_FOLDER except in tests. ERROR_NOT_FOUND outside a pod. Free
   with kube_access_fini(). */
#define KUBECONFIG_POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"
bool kubeconfig_from_pod(const char *folder, struct kube_access *ret_access,
                         struct error *error) MUST_CHECK;

#endif
