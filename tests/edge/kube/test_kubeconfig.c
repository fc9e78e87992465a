// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge/kubeconfig.h"
#include "kubeconfig_fixtures.h"

static void test_kubeconfig__reads_all_fields_of_a_cluster(void **state) {
    (void)state;
    const struct {
        const char *cluster;
        const char *server, *ca_file, *ca_pem, *tls_server_name;
        bool is_insecure;
    } rows[] = {
        {"server: 'https://10.0.0.1:6443'", "https://10.0.0.1:6443", NULL, NULL, NULL, false},
        {"server: 'https://10.0.0.1:6443/'", "https://10.0.0.1:6443", NULL, NULL, NULL, false},
        {"server: 'http://localhost///'", "http://localhost", NULL, NULL, NULL, false},
        {"server: 'https://host/k8s/clusters/c-1//'", "https://host/k8s/clusters/c-1", NULL, NULL,
         NULL, false},
        {"server: 'https://[::1]:65535'", "https://[::1]:65535", NULL, NULL, NULL, false},
        {"server: 'https://[fd00::1]'", "https://[fd00::1]", NULL, NULL, NULL, false},
        {"server: 'https://a:1', certificate-authority: ca.crt", "https://a:1", "./ca.crt", NULL,
         NULL, false},
        {"server: 'https://a', certificate-authority: /etc/ca.crt", "https://a", "/etc/ca.crt",
         NULL, NULL, false},
        {"server: 'https://a', certificate-authority-data: " PEM_BASE64, "https://a", NULL,
         "-----BEGIN A\n", NULL, false},
        {"server: 'https://a', certificate-authority-data: \"LS0tLS1C\\nRUdJTiBB\\r\\nCg==\\n\"",
         "https://a", NULL, "-----BEGIN A\n", NULL, false},
        {"certificate-authority-data: " PEM_BASE64
         ", certificate-authority: a, server: 'https://a'",
         "https://a", NULL, "-----BEGIN A\n", NULL, false},
        {"server: 'https://a', certificate-authority: a, certificate-authority-data: ''",
         "https://a", "./a", NULL, NULL, false},
        {"server: 'https://a', tls-server-name: other.name", "https://a", NULL, NULL, "other.name",
         false},
        {"server: 'https://a', insecure-skip-tls-verify: true", "https://a", NULL, NULL, NULL,
         true},
        {"server: 'https://a', insecure-skip-tls-verify: false, certificate-authority: a",
         "https://a", "./a", NULL, NULL, false},
        {"server: 'https://a', disable-compression: true, extensions: [{name: x}], Server: 3",
         "https://a", NULL, NULL, NULL, false},
        {"server: 'https://a', proxy-url: '', tls-server-name: null, certificate-authority: ~, "
         "insecure-skip-tls-verify: null",
         "https://a", NULL, NULL, NULL, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_config("config", rows[i].cluster, "");
        AUTO(kube_access_fini) struct kube_access access = read_good("./config", NULL);
        assert_text(rows[i].cluster, access.server, rows[i].server);
        assert_text(rows[i].cluster, access.ca_file, rows[i].ca_file);
        assert_text(rows[i].cluster, access.ca_pem, rows[i].ca_pem);
        assert_text(rows[i].cluster, access.tls_server_name, rows[i].tls_server_name);
        assert_int_equal(access.is_insecure, rows[i].is_insecure);
        assert_string_equal(access.namespace, "default");
        assert_null(access.token);
    }
}

static void test_kubeconfig__reads_the_credentials_of_a_user(void **state) {
    (void)state;
    const struct {
        const char *user;
        const char *certificate_file, *certificate_pem, *key_file, *key_pem;
        const char *token, *token_file;
    } rows[] = {
        {"", NULL, NULL, NULL, NULL, NULL, NULL},
        {"token: abc.def", NULL, NULL, NULL, NULL, "abc.def", NULL},
        {"token: null, tokenFile: ''", NULL, NULL, NULL, NULL, NULL, NULL},
        {"tokenFile: token", NULL, NULL, NULL, NULL, NULL, "below/token"},
        {"tokenFile: /run/token, token: x", NULL, NULL, NULL, NULL, "x", "/run/token"},
        {"client-certificate: ../c.crt, client-key: c.key", "below/../c.crt", NULL, "below/c.key",
         NULL, NULL, NULL},
        {"client-certificate-data: " PEM_BASE64 ", client-key-data: " PEM_BASE64, NULL,
         "-----BEGIN A\n", NULL, "-----BEGIN A\n", NULL, NULL},
        {"client-certificate-data: " PEM_BASE64 ", client-key: c.key", NULL, "-----BEGIN A\n",
         "below/c.key", NULL, NULL, NULL},
        {"client-certificate: c.crt, client-certificate-data: " PEM_BASE64
         ", client-key-data: " PEM_BASE64 ", client-key: c.key",
         NULL, "-----BEGIN A\n", NULL, "-----BEGIN A\n", NULL, NULL},
        {"username: '', password: null, auth-provider: {}, as: '', as-groups: [], as-uid: null, "
         "as-user-extra: {}, exec: null, extensions: []",
         NULL, NULL, NULL, NULL, NULL, NULL},
    };
    assert_int_equal(mkdir("below", 0755), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_config("below/config", "server: 'https://a'", rows[i].user);
        AUTO(kube_access_fini) struct kube_access access = read_good("below/config", NULL);
        assert_text(rows[i].user, access.certificate_file, rows[i].certificate_file);
        assert_text(rows[i].user, access.certificate_pem, rows[i].certificate_pem);
        assert_text(rows[i].user, access.key_file, rows[i].key_file);
        assert_text(rows[i].user, access.key_pem, rows[i].key_pem);
        assert_text(rows[i].user, access.token, rows[i].token);
        assert_text(rows[i].user, access.token_file, rows[i].token_file);
        assert_null(access.plugin);
    }
}

static void test_kubeconfig__relative_paths_start_at_its_folder(void **state) {
    const char *folder = *state;
    char absolute[300];
    char expected[300];
    snprintf(absolute, sizeof(absolute), "%s/below/config", folder);
    snprintf(expected, sizeof(expected), "%s/below/ca.crt", folder);
    const struct {
        const char *path;
        const char *expected;
    } rows[] = {
        {"config", "ca.crt"},
        {"./config", "./ca.crt"},
        {"below/config", "below/ca.crt"},
        {"below//config", "below//ca.crt"},
        {absolute, expected},
    };
    assert_int_equal(mkdir("below", 0755), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_config(rows[i].path, "server: 'https://a', certificate-authority: ca.crt", "");
        AUTO(kube_access_fini) struct kube_access access = read_good(rows[i].path, NULL);
        assert_text(rows[i].path, access.ca_file, rows[i].expected);
    }
}

static void test_kubeconfig__reads_a_credential_plugin(void **state) {
    (void)state;
    static const char head[] = "exec: {apiVersion: client.authentication.k8s.io/v1, ";
    const struct {
        const char *row;
        const char *exec;
        const char *command[4];
        const char *environment[4];
        const char *install_hint;
        bool wants_cluster;
    } rows[] = {
        {"searched in PATH", "command: aws}", {"aws"}, {NULL}, NULL, false},
        {"relative", "command: bin/aws}", {"below/bin/aws"}, {NULL}, NULL, false},
        {"relative, with a dot", "command: ./aws}", {"below/./aws"}, {NULL}, NULL, false},
        {"absolute", "command: /bin/aws}", {"/bin/aws"}, {NULL}, NULL, false},
        {"all",
         "args: [eks, '', './x'], command: aws, env: [{name: A, value: 'b=c'}, {name: B}], "
         "installHint: get it, provideClusterInfo: true, interactiveMode: Never}",
         {"aws", "eks", "", "./x"},
         {"A=b=c", "B="},
         "get it",
         true},
        {"nulls",
         "args: null, command: aws, env: null, installHint: null, "
         "provideClusterInfo: null, interactiveMode: null}",
         {"aws"},
         {NULL},
         NULL,
         false},
        {"if available",
         "args: [null], command: aws, interactiveMode: IfAvailable}",
         {"aws", ""},
         {NULL},
         NULL,
         false},
    };
    assert_int_equal(mkdir("below", 0755), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char user[400];
        snprintf(user, sizeof(user), "%s%s", head, rows[i].exec);
        write_config("below/config", "server: 'https://a'", user);
        AUTO(kube_access_fini) struct kube_access access = read_good("below/config", NULL);
        assert_non_null(access.plugin);
        assert_string_equal(access.plugin->api_version, "client.authentication.k8s.io/v1");
        for (size_t n = 0, is_more = 1; n < 4 && is_more; n++) {
            assert_text(rows[i].row, access.plugin->command[n], rows[i].command[n]);
            is_more = rows[i].command[n] != NULL;
        }
        for (size_t n = 0, is_more = 1; n < 4 && is_more; n++) {
            assert_text(rows[i].row, access.plugin->environment[n], rows[i].environment[n]);
            is_more = rows[i].environment[n] != NULL;
        }
        assert_text(rows[i].row, access.plugin->install_hint, rows[i].install_hint);
        assert_int_equal(access.plugin->wants_cluster, rows[i].wants_cluster);
    }
}

static void test_kubeconfig__keeps_the_config_for_a_plugin(void **state) {
    (void)state;
#define PLUGIN "name: client.authentication.k8s.io/exec"
    static const struct {
        const char *extensions, *expected;
    } rows[] = {
        {"[]", NULL},
        {"null", NULL},
        {"[{name: minikube.sigs.k8s.io, extension: {a: 1}}]", NULL},
        {"[{" PLUGIN ", extension: {audience: a, ids: [1, true, null]}}, {name: b, extension: 2}]",
         "{\"audience\":\"a\",\"ids\":[1,true,null]}"},
        {"[{name: b}, {extension: text, " PLUGIN "}]", "\"text\""},
        {"[{" PLUGIN ", extension: null}]", NULL},
        {"[{" PLUGIN "}]", NULL},
    };
#undef PLUGIN
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char cluster[256];
        snprintf(cluster, sizeof(cluster), "server: 'https://a', extensions: %s",
                 rows[i].extensions);
        write_config("config", cluster, "");
        AUTO(kube_access_fini) struct kube_access access = read_good("config", NULL);
        assert_text(rows[i].extensions, access.plugin_config, rows[i].expected);
    }
}

static void test_kubeconfig__uses_the_given_context(void **state) {
    (void)state;
    write_text("config", HEAD "contexts:\n"
                              "- {name: here, context: {cluster: c, user: u, namespace: apps}}\n"
                              "- {name: there, context: {cluster: d}}\n"
                              "- {name: 'user', context: {cluster: d, user: ''}}\n"
                              "- {name: broken, context: [], other: 1}\n"
                              "clusters:\n"
                              "- {name: d, cluster: {server: 'https://d'}}\n"
                              "- {name: c, cluster: {server: 'https://c'}}\n"
                              "- {name: unused, cluster: {server: 5}}\n"
                              "users:\n"
                              "- {name: unused, user: {username: x}}\n"
                              "- {name: u, user: {token: t}}\n"
                              "- {name: bare}\n");
    const struct {
        const char *context;
        const char *server, *namespace, *token;
    } rows[] = {
        {NULL, "https://c", "apps", "t"},
        {"here", "https://c", "apps", "t"},
        {"there", "https://d", "default", NULL},
        {"user", "https://d", "default", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(kube_access_fini) struct kube_access access = read_good("config", rows[i].context);
        const char *row = rows[i].context == NULL ? "current" : rows[i].context;
        assert_text(row, access.server, rows[i].server);
        assert_text(row, access.namespace, rows[i].namespace);
        assert_text(row, access.token, rows[i].token);
    }
}

static void test_kubeconfig__reads_what_kubectl_reads(void **state) {
    (void)state;
    const struct {
        const char *row;
        const char *text;
        const char *expected;
    } rows[] = {
        {"JSON",
         "{\"current-context\": \"\\u0068ere\", \"contexts\": [{\"name\": \"here\", \"context\":\n"
         "{\"cluster\": \"c\"}}], \"clusters\": [{\"cluster\": {\"server\": \"https:\\/\\/a\"}, "
         "\"name\": \"c\"}]}",
         "https://a"},
        {"without apiVersion and kind", "current-context: here\n" CONTEXT CLUSTERS USERS,
         "https://a"},
        {"nulls",
         HEAD "preferences: {}\nusers: null\n" CLUSTERS
              "contexts: [{name: here, context: {cluster: c, user: null}}]\n",
         "https://a"},
        {"anchors",
         HEAD CONTEXT USERS "clusters: [{name: c, cluster: &c {server: 'https://a'}}, "
                            "{name: d, cluster: *c}]\n",
         "https://a"},
        {"a second document", HEAD CONTEXT CLUSTERS USERS "---\nkind: Other\n", "https://a"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_access access;
        struct error error;
        write_text("config", rows[i].text);
        if (!kubeconfig_read("config", NULL, &access, &error)) {
            fail_msg("%s: %s", rows[i].row, error.text);
        }
        assert_text(rows[i].row, access.server, rows[i].expected);
        kube_access_fini(&access);
    }
}

static void set_or_unset(const char *name, const char *value) {
    assert_int_equal(value == NULL ? unsetenv(name) : setenv(name, value, 1), 0);
}

static int forget_pod(void **state) {
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
    unsetenv("KUBERNETES_SERVICE_PORT_HTTPS");
    return leave_folder(state);
}

static void test_kubeconfig__finds_the_server_of_a_pod(void **state) {
    (void)state;
    static const char advice[] = "outside of a cluster give --kubeconfig FILE";
    const struct {
        const char *host, *port_https, *port;
        const char *server; /* NULL: an error is expected */
        enum error_kind kind;
        const char *expected;
    } rows[] = {
        {"10.96.0.1", "443", "444", "https://10.96.0.1:443", 0, NULL},
        {"10.96.0.1", NULL, "444", "https://10.96.0.1:444", 0, NULL},
        {"10.96.0.1", "", "444", "https://10.96.0.1:444", 0, NULL},
        {"fd00::1", "6443", NULL, "https://[fd00::1]:6443", 0, NULL},
        {"kubernetes.default", "65535", NULL, "https://kubernetes.default:65535", 0, NULL},
        {NULL, "443", "443", NULL, ERROR_NOT_FOUND,
         "this is not a pod, since KUBERNETES_SERVICE_HOST is not set; "},
        {"", "443", "443", NULL, ERROR_NOT_FOUND,
         "this is not a pod, since KUBERNETES_SERVICE_HOST is not set; "},
        {"10.96.0.1", NULL, NULL, NULL, ERROR_NOT_FOUND,
         "this is not a pod, since KUBERNETES_SERVICE_PORT is not set; "},
        {"10.96.0.1", "65536", "443", NULL, ERROR_INVALID,
         "KUBERNETES_SERVICE_PORT_HTTPS is '65536', which is no port"},
        {"10.96.0.1", NULL, "tcp://10.96.0.1:443", NULL, ERROR_INVALID,
         "KUBERNETES_SERVICE_PORT is 'tcp://10.96.0.1:443', which is no port"},
        {"a/b", "443", NULL, NULL, ERROR_INVALID,
         "KUBERNETES_SERVICE_HOST is 'a/b', which is no host"},
    };
    write_text("token", "t");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_access access;
        struct error error = {.text = ""};
        set_or_unset("KUBERNETES_SERVICE_HOST", rows[i].host);
        set_or_unset("KUBERNETES_SERVICE_PORT_HTTPS", rows[i].port_https);
        set_or_unset("KUBERNETES_SERVICE_PORT", rows[i].port);
        bool is_read = kubeconfig_from_pod(".", &access, &error);
        if (is_read != (rows[i].server != NULL)) {
            fail_msg("row %zu: %s", i, error.text);
        }
        if (is_read) {
            assert_string_equal(access.server, rows[i].server);
            kube_access_fini(&access);
        } else {
            bool has_advice = error.kind == ERROR_NOT_FOUND;
            char expected[240];
            snprintf(expected, sizeof(expected), "%s%s", rows[i].expected,
                     has_advice ? advice : "");
            assert_string_equal(error.text, expected);
            assert_int_equal(error.kind, rows[i].kind);
        }
    }
}

static void test_kubeconfig__uses_the_files_of_a_pod(void **state) {
    (void)state;
    set_or_unset("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    set_or_unset("KUBERNETES_SERVICE_PORT", "443");
    assert_int_equal(mkdir("pod", 0755), 0);
    struct kube_access access;
    struct error error;
    assert_false(kubeconfig_from_pod("pod", &access, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    assert_string_equal(error.text, "the pod has no service account token in 'pod' (see "
                                    "automountServiceAccountToken); outside of a cluster give "
                                    "--kubeconfig FILE");
    write_text("pod/token", "t");
    const struct {
        const char *text; /* NULL: no file */
        const char *namespace;
        const char *expected;
    } rows[] = {
        {NULL, "default", NULL},
        {"", "default", NULL},
        {" \n", "default", NULL},
        {"capstan-system", "capstan-system", NULL},
        {"\tcapstan-system\r\n", "capstan-system", NULL},
        {"a b", NULL, "what is in 'pod/namespace' is not the name of a namespace"},
        {"A/../b", NULL, "what is in 'pod/namespace' is not the name of a namespace"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].text != NULL) {
            write_text("pod/namespace", rows[i].text);
        }
        bool is_read = kubeconfig_from_pod("pod", &access, &error);
        assert_int_equal(is_read, rows[i].namespace != NULL);
        if (is_read) {
            assert_string_equal(access.namespace, rows[i].namespace);
            assert_string_equal(access.ca_file, "pod/ca.crt");
            assert_string_equal(access.token_file, "pod/token");
            assert_null(access.token);
            assert_false(access.is_insecure);
            kube_access_fini(&access);
        } else {
            assert_string_equal(error.text, rows[i].expected);
            assert_int_equal(error.kind, ERROR_INVALID);
        }
    }
}

#define AS_POD(test) cmocka_unit_test_setup_teardown(test, enter_folder, forget_pod)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_kubeconfig__reads_all_fields_of_a_cluster),
        IN_FOLDER(test_kubeconfig__reads_the_credentials_of_a_user),
        IN_FOLDER(test_kubeconfig__relative_paths_start_at_its_folder),
        IN_FOLDER(test_kubeconfig__reads_a_credential_plugin),
        IN_FOLDER(test_kubeconfig__keeps_the_config_for_a_plugin),
        IN_FOLDER(test_kubeconfig__uses_the_given_context),
        IN_FOLDER(test_kubeconfig__reads_what_kubectl_reads),
        AS_POD(test_kubeconfig__finds_the_server_of_a_pod),
        AS_POD(test_kubeconfig__uses_the_files_of_a_pod),
    };
    return cmocka_run_group_tests_name("edge/kubeconfig", tests, NULL, NULL);
}
