// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_EDGE_KUBE_CREDENTIAL_FIXTURES_H
#define TESTS_EDGE_KUBE_CREDENTIAL_FIXTURES_H

/*
 * Credential plugins that are shell scripts, for test_kube_credential.c and test_kube_plugin.c.
 * Include it after cmocka.h.
 */

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attribute.h"
#include "edge/file/file_fixtures.h"
#include "kube/kube_credential.h"

enum { WAIT_MS = 20000 };

#define V1 "client.authentication.k8s.io/v1"

/* Shell code that prints an ExecCredential. `status` has the members of its status, as JSON. */
#define PRINT(status)                                                                              \
    "echo '{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{" status "}}'\n"

/* Each run adds a line to the file `runs`. */
static inline void write_plugin(const char *path, const char *script) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\necho run >> runs\n%s", script) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

static inline int count_runs(void) {
    FILE *file = fopen("runs", "r");
    int n = 0;
    if (file != NULL) {
        for (int byte = fgetc(file); byte != EOF; byte = fgetc(file)) {
            n += byte == '\n';
        }
        fclose(file);
    }
    return n;
}

/* An access whose plugin is ./plugin. It owns nothing. */
struct plugin_access {
    struct kube_plugin plugin;
    struct kube_access access;
    char *command[4];
    char *environment[4];
};

static inline struct kube_access *use_plugin(struct plugin_access *plugin) {
    memset(plugin, 0, sizeof(*plugin));
    plugin->command[0] = "./plugin";
    plugin->plugin.api_version = V1;
    plugin->plugin.command = plugin->command;
    plugin->plugin.environment = plugin->environment;
    plugin->access.server = "https://10.0.0.1:6443";
    plugin->access.plugin = &plugin->plugin;
    return &plugin->access;
}

static inline void free_credential(struct kube_credential **credential) {
    kube_credential_free(*credential);
}

/* Waits for the descriptor, as a loop does. */
static inline enum kube_credential_state wait_for_plugin(struct kube_credential *credential,
                                                         int64_t now_ms,
                                                         struct kube_identity *ret_identity,
                                                         struct error *error) {
    for (;;) {
        enum kube_credential_state state =
            kube_credential_get(credential, now_ms, ret_identity, error);
        struct pollfd plugin = {.fd = kube_credential_descriptor(credential), .events = POLLIN};
        assert_int_equal(plugin.fd >= 0, state == KUBE_CREDENTIAL_PENDING);
        if (state != KUBE_CREDENTIAL_PENDING) {
            return state;
        }
        assert_null(ret_identity->token);
        assert_int_equal(poll(&plugin, 1, WAIT_MS), 1);
    }
}

static inline struct kube_identity get_ready(struct kube_credential *credential, int64_t now_ms) {
    struct kube_identity identity;
    struct error error;
    if (wait_for_plugin(credential, now_ms, &identity, &error) != KUBE_CREDENTIAL_READY) {
        fail_msg("%s", error.text);
    }
    return identity;
}

static inline void assert_fails(const char *row, struct kube_credential *credential, int64_t now_ms,
                                enum error_kind kind, const char *expected) {
    struct kube_identity identity;
    struct error error = {.text = ""};
    if (wait_for_plugin(credential, now_ms, &identity, &error) != KUBE_CREDENTIAL_FAILED) {
        fail_msg("%s: is ready", row);
    }
    if (strcmp(error.text, expected) != 0 || error.kind != kind) {
        fail_msg("%s: kind %d: %s", row, (int)error.kind, error.text);
    }
    assert_null(identity.token);
}

#endif
