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

static void test_kubeconfig__a_user_may_act_as_another(void **state) {
    (void)state;
    static const struct {
        const char *user;
        const char *headers; /* each with a bar behind it */
    } rows[] = {
        {"as: jane", "Impersonate-User: jane|"},
        {"as: 'system:serviceaccount:n:a', as-uid: 7b-1",
         "Impersonate-User: system:serviceaccount:n:a|Impersonate-Uid: 7b-1|"},
        {"as: jane, as-groups: [a, 'system:masters']",
         "Impersonate-User: jane|Impersonate-Group: a|Impersonate-Group: system:masters|"},
        {"as: jane, as-user-extra: {scopes: [x, z], 'acme.com/a%': ['\xc3\xa4'], none: []}",
         "Impersonate-User: jane|Impersonate-Extra-scopes: x|Impersonate-Extra-scopes: z|"
         "Impersonate-Extra-acme.com%2Fa%25: \xc3\xa4|"},
        {"as: jane, as-groups: null, as-user-extra: null, as-uid: ''", "Impersonate-User: jane|"},
        {"as: ''", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer headers;
        buffer_init(&headers, FILE_MAX);
        write_config("config", "server: 'https://a'", rows[i].user);
        AUTO(kube_access_fini) struct kube_access access = read_good("config", NULL);
        for (char **at = access.impersonation; at != NULL && *at != NULL; at++) {
            buffer_add_format(&headers, "%s|", *at);
        }
        assert_string_equal(buffer_text(&headers), rows[i].headers);
    }
}

static void test_kubeconfig__a_scheme_may_have_any_case(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"HTTPS://A:6443/Path", "https://A:6443/Path"},
        {"Http://a", "http://a"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char cluster[80];
        snprintf(cluster, sizeof(cluster), "server: '%s'", rows[i][0]);
        write_config("config", cluster, "");
        AUTO(kube_access_fini) struct kube_access access = read_good("config", NULL);
        assert_string_equal(access.server, rows[i][1]);
    }
}

/* The variables of a row, set for as long as it is tried. */
struct surroundings {
    const char *variables[3][2];
};

static void surround(const struct surroundings *with, bool is_on) {
    for (size_t i = 0; i < COUNT_OF(with->variables) && with->variables[i][0] != NULL; i++) {
        if (is_on) {
            setenv(with->variables[i][0], with->variables[i][1], 1);
        } else {
            unsetenv(with->variables[i][0]);
        }
    }
}

static void test_kubeconfig__a_proxy_is_of_the_cluster_or_else_of_the_environment(void **state) {
    (void)state;
    static const struct {
        const char *cluster;
        struct surroundings with;
        const char *proxy;
        const char *no_proxy;
    } rows[] = {
        {"server: 'https://a'", {{{NULL, NULL}}}, NULL, NULL},
        {"server: 'https://a', proxy-url: 'http://p:3128'",
         {{{NULL, NULL}}},
         "http://p:3128",
         NULL},
        {"server: 'https://a', proxy-url: 'HTTPS://me:x@p'",
         {{{NULL, NULL}}},
         "https://me:x@p",
         NULL},
        {"server: 'https://a', proxy-url: 'socks5://p'", {{{NULL, NULL}}}, "socks5h://p", NULL},
        {"server: 'https://a', proxy-url: ''", {{{NULL, NULL}}}, NULL, NULL},
        {"server: 'https://a', proxy-url: 'http://p'",
         {{{"HTTPS_PROXY", "http://q"}, {"NO_PROXY", "a"}}},
         "http://p",
         NULL},
        {"server: 'https://a'", {{{"HTTPS_PROXY", "http://q:1"}}}, "http://q:1", NULL},
        {"server: 'https://a'", {{{"https_proxy", "http://q"}}}, "http://q", NULL},
        {"server: 'https://a'", {{{"HTTPS_PROXY", "q:8080"}}}, "http://q:8080", NULL},
        {"server: 'https://a'",
         {{{"HTTPS_PROXY", "http://q"}, {"https_proxy", "http://r"}, {"NO_PROXY", "b,.c"}}},
         "http://q",
         "b,.c"},
        {"server: 'https://a'",
         {{{"HTTPS_PROXY", ""}, {"https_proxy", "http://r"}, {"no_proxy", "*"}}},
         "http://r",
         "*"},
        {"server: 'https://a'",
         {{{"HTTP_PROXY", "http://q"}, {"ALL_PROXY", "http://q"}}},
         NULL,
         NULL},
        {"server: 'http://a'", {{{"HTTP_PROXY", "http://q"}}}, "http://q", NULL},
        {"server: 'http://a'", {{{"HTTPS_PROXY", "http://q"}}}, NULL, NULL},
        {"server: 'https://localhost:1'", {{{"HTTPS_PROXY", "http://q"}}}, NULL, NULL},
        {"server: 'https://LocalHost'", {{{"HTTPS_PROXY", "http://q"}}}, NULL, NULL},
        {"server: 'https://127.9.9.9:1'", {{{"HTTPS_PROXY", "http://q"}}}, NULL, NULL},
        {"server: 'https://[::1]:1'", {{{"HTTPS_PROXY", "http://q"}}}, NULL, NULL},
        {"server: 'https://127.example.com'", {{{"HTTPS_PROXY", "http://q"}}}, "http://q", NULL},
        {"server: 'https://localhost.example.com'",
         {{{"HTTPS_PROXY", "http://q"}}},
         "http://q",
         NULL},
        {"server: 'https://a'",
         {{{"HTTPS_PROXY", "http://q"}, {"KUBERNETES_SERVICE_HOST", "10.0.0.1"}}},
         NULL,
         NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_config("config", rows[i].cluster, "");
        surround(&rows[i].with, true);
        AUTO(kube_access_fini) struct kube_access access = read_good("config", NULL);
        surround(&rows[i].with, false);
        assert_text(rows[i].cluster, access.proxy, rows[i].proxy);
        assert_text(rows[i].cluster, access.no_proxy, rows[i].no_proxy);
    }
    write_config("config", "server: 'https://a'", "");
    setenv("HTTPS_PROXY", "ftp://secret@q", 1);
    assert_refused("ftp", "config", NULL, ERROR_INVALID,
                   "the environment variable HTTPS_PROXY must begin with http://, https:// or "
                   "socks5://");
    unsetenv("HTTPS_PROXY");
}

/* KUBECONFIG with several files: "first wins", for each thing apart. */
static void test_kubeconfig__files_are_merged_as_kubectl_merges_them(void **state) {
    (void)state;
    static const char one[] =
        "apiVersion: v1\nkind: Config\ncurrent-context: ''\n"
        "contexts: [{name: a, context: {cluster: c, user: u, namespace: ns}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://one', "
        "certificate-authority: ca.crt}}]\n";
    static const char two[] = "apiVersion: v1\nkind: Config\ncurrent-context: b\n"
                              "contexts: [{name: a, context: {cluster: d}}, "
                              "{name: b, context: {cluster: c, user: u}}]\n"
                              "clusters: [{name: c, cluster: {server: 'https://two'}}, "
                              "{name: d, cluster: {server: 'https://three'}}]\n"
                              "users: [{name: u, user: {token: t, client-certificate: c.crt, "
                              "client-key: c.key}}]\n";
    static const struct {
        const char *paths, *context, *server, *namespace, *certificate;
    } rows[] = {
        {"one/config:two/config", NULL, "https://one", "default", "two/c.crt"},
        {"one/config:two/config", "a", "https://one", "ns", "two/c.crt"},
        {"two/config:one/config", "a", "https://three", "default", NULL},
        {"two/config:one/config", NULL, "https://two", "default", "two/c.crt"},
        {":missing:two/config::", NULL, "https://two", "default", "two/c.crt"},
    };
    assert_int_equal(mkdir("one", 0755), 0);
    assert_int_equal(mkdir("two", 0755), 0);
    write_text("one/config", one);
    write_text("two/config", two);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_access access;
        struct error error;
        setenv("KUBECONFIG", rows[i].paths, 1);
        if (!kubeconfig_find(NULL, rows[i].context, &access, &error)) {
            fail_msg("%s: %s", rows[i].paths, error.text);
        }
        assert_string_equal(access.server, rows[i].server);
        assert_string_equal(access.namespace, rows[i].namespace);
        assert_text(rows[i].paths, access.certificate_file, rows[i].certificate);
        kube_access_fini(&access);
    }
    static const struct {
        const char *paths, *context, *expected;
    } faults[] = {
        {"one/config", NULL, "one/config: there is no current-context; of contexts there are: a"},
        {"one/config:two/config", "x", "KUBECONFIG: context 'x' is not there; there are: a, a, b"},
        {"one/config", "a", "one/config: user 'u' is not there; there is none"},
        {"missing:gone", NULL, "KUBECONFIG names no file that is there: 'missing:gone'"},
        {"one/config:broken", NULL, "broken:1:1: the document must be a mapping"},
    };
    write_text("broken", "[]");
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct kube_access access;
        struct error error;
        setenv("KUBECONFIG", faults[i].paths, 1);
        assert_false(kubeconfig_find(NULL, faults[i].context, &access, &error));
        assert_string_equal(error.text, faults[i].expected);
    }
    unsetenv("KUBECONFIG");
}

/* A file that is named wins over KUBECONFIG, that over the pod, and that over ~/.kube/config. */
static void test_kubeconfig__is_looked_for_where_kubectl_looks(void **state) {
    const char *folder = *state;
    struct error error;
    struct kube_access found;
    assert_int_equal(mkdir(".kube", 0755), 0);
    write_config(".kube/config", "server: 'https://home'", "");
    write_config("named", "server: 'https://named'", "");
    write_config("listed", "server: 'https://listed'", "");
    setenv("HOME", folder, 1);
    if (!kubeconfig_find(NULL, NULL, &found, &error)) {
        fail_msg("%s", error.text);
    }
    assert_string_equal(found.server, "https://home");
    kube_access_fini(&found);
    setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    assert_false(kubeconfig_find(NULL, NULL, &found, &error)); /* a pod without a port */
    assert_non_null(strstr(error.text, "KUBERNETES_SERVICE_PORT"));
    setenv("KUBECONFIG", "listed", 1);
    assert_true(kubeconfig_find(NULL, NULL, &found, &error));
    assert_string_equal(found.server, "https://listed");
    kube_access_fini(&found);
    assert_true(kubeconfig_find("named", NULL, &found, &error));
    assert_string_equal(found.server, "https://named");
    kube_access_fini(&found);
    unsetenv("KUBECONFIG");
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("HOME");
    assert_false(kubeconfig_find(NULL, NULL, &found, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
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
        IN_FOLDER(test_kubeconfig__files_are_merged_as_kubectl_merges_them),
        IN_FOLDER(test_kubeconfig__is_looked_for_where_kubectl_looks),
        IN_FOLDER(test_kubeconfig__a_user_may_act_as_another),
        IN_FOLDER(test_kubeconfig__a_scheme_may_have_any_case),
        IN_FOLDER(test_kubeconfig__a_proxy_is_of_the_cluster_or_else_of_the_environment),
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
