// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_EDGE_KUBECONFIG_FIXTURES_H
#define TESTS_EDGE_KUBECONFIG_FIXTURES_H

/*
 * Kubeconfigs for test_kubeconfig.c and test_kubeconfig_refuse.c. Include it after cmocka.h.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "edge/file/file_fixtures.h"
#include "edge/kubeconfig.h"

enum { FILE_MAX = 4 << 20 };

#define HEAD                                                                                       \
    "apiVersion: v1\n"                                                                             \
    "kind: Config\n"                                                                               \
    "current-context: here\n"
#define CONTEXT  "contexts: [{name: here, context: {cluster: c, user: u}}]\n"
#define CLUSTERS "clusters: [{name: c, cluster: {server: \"https://a\"}}]\n"
#define USERS    "users: [{name: u, user: {}}]\n"

/* "-----BEGIN A\n", once alone and once with a NUL behind it. */
#define PEM_BASE64     "LS0tLS1CRUdJTiBBCg=="
#define PEM_NUL_BASE64 "LS0tLS1CRUdJTiBBCgA="

/* Writes a kubeconfig of one cluster and one user. The texts go inside their braces. */
static inline void write_config(const char *path, const char *cluster, const char *user) {
    AUTO(buffer_fini) struct buffer text;
    buffer_init(&text, FILE_MAX);
    buffer_add_format(&text,
                      HEAD CONTEXT "clusters: [{name: c, cluster: {%s}}]\n"
                                   "users: [{name: u, user: {%s}}]\n",
                      cluster, user);
    write_text(path, buffer_text(&text));
}

static inline void assert_text(const char *row, const char *text, const char *expected) {
    if (strcmp(text == NULL ? "(none)" : text, expected == NULL ? "(none)" : expected) != 0) {
        fail_msg("%s: %s, not %s", row, text, expected);
    }
}

static inline struct kube_access read_good(const char *path, const char *context) {
    struct kube_access access;
    struct error error;
    if (!kubeconfig_read(path, context, &access, &error)) {
        fail_msg("%s", error.text);
    }
    return access;
}

static inline void assert_refused(const char *row, const char *path, const char *context,
                                  enum error_kind kind, const char *expected) {
    struct kube_access access = {.server = (char *)(uintptr_t)1};
    struct error error = {.text = ""};
    if (kubeconfig_read(path, context, &access, &error)) {
        fail_msg("%s: is read", row);
    }
    if (strcmp(error.text, expected) != 0 || error.kind != kind) {
        fail_msg("%s: kind %d: %s", row, (int)error.kind, error.text);
    }
    assert_true(access.server == (char *)(uintptr_t)1);
}

#endif
