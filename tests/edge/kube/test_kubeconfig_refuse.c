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

/* Each text is line 5 of the file; the flow mapping begins at column 32. */
static void test_kubeconfig_refuse__says_what_is_wrong_with_a_cluster(void **state) {
    (void)state;
#define AT(column) "config:5:" column ": clusters[0].cluster"
    const struct {
        const char *cluster;
        const char *expected;
    } rows[] = {
        {"", AT("31") ".server: must be given"},
        {"server: ''", AT("31") ".server: must be given"},
        {"server: null", AT("31") ".server: must be given"},
        {"server: 5", AT("40") ".server: must be a string"},
        {"server: '10.0.0.1:6443'", AT("40") ".server: must begin with https:// or http://"},
        {"server: 'ftp://a'", AT("40") ".server: must begin with https:// or http://"},
        {"server: 'https:/a'", AT("40") ".server: must begin with https:// or http://"},
        {"server: 'https://'", AT("40") ".server: has no host"},
        {"server: 'https:///path'", AT("40") ".server: has no host"},
        {"server: 'https://:443'", AT("40") ".server: has no host"},
        {"server: 'https://a:'", AT("40") ".server: has an impossible port"},
        {"server: 'https://a:0'", AT("40") ".server: has an impossible port"},
        {"server: 'https://a:65536'", AT("40") ".server: has an impossible port"},
        {"server: 'https://a:00000000080'", AT("40") ".server: has an impossible port"},
        {"server: 'https://a:x'", AT("40") ".server: has an impossible port"},
        {"server: 'https://::1'", AT("40") ".server: has no host"},
        {"server: 'https://[::1'", AT("40") ".server: has a [ that does not enclose an address"},
        {"server: 'https://[]:1'", AT("40") ".server: has a [ that does not enclose an address"},
        {"server: 'https://[::1]x'", AT("40") ".server: has an impossible port"},
        {"server: 'https://me:secret@a'",
         AT("40") ".server: may have a host, a port and a path, and nothing else"},
        {"server: 'https://a?b'",
         AT("40") ".server: may have a host, a port and a path, and nothing else"},
        {"server: 'https://a/#b'",
         AT("40") ".server: may have a host, a port and a path, and nothing else"},
        {"server: 'https://a b'",
         AT("40") ".server: may have a host, a port and a path, and nothing else"},
        {"server: \"https://a\\r\\nX: y\"",
         AT("40") ".server: may have a host, a port and a path, and nothing else"},
        {"server: 'https://\xc3\xa4'",
         AT("40") ".server: may have a host, a port and a path, and nothing else"},
        {"server: \"https://a\\0b\"", AT("40") ".server: has a zero byte"},
        {"server: 'https://a', proxy-url: 'ftp://p'",
         AT("64") ".proxy-url: must begin with http://, https:// or socks5://"},
        {"server: 'https://a', proxy-url: 'p:3128'",
         AT("64") ".proxy-url: must begin with http://, https:// or socks5://"},
        {"server: 'https://a', proxy-url: 'http://'", AT("64") ".proxy-url: has no host"},
        {"server: 'https://a', proxy-url: 'http://me:x@'", AT("64") ".proxy-url: has no host"},
        {"server: 'https://a', proxy-url: 'http://p q'",
         AT("64") ".proxy-url: has a character that no URL can have"},
        {"server: 'https://a', proxy-url: [a]", AT("64") ".proxy-url: must be a string"},
        {"server: 'https://a', certificate-authority: [a]",
         AT("76") ".certificate-authority: must be a string"},
        {"server: 'https://a', insecure-skip-tls-verify: 'true'",
         AT("79") ".insecure-skip-tls-verify: must be true or false"},
        {"server: 'https://a', insecure-skip-tls-verify: true, certificate-authority: ca.crt",
         AT("31") ": specifying a root certificates file with the insecure flag is not allowed"},
        {"server: 'https://a', insecure-skip-tls-verify: true, "
         "certificate-authority-data: " PEM_BASE64,
         AT("31") ": specifying a root certificates file with the insecure flag is not allowed"},
        {"certificate-authority-data: " PEM_NUL_BASE64,
         AT("60") ".certificate-authority-data: has a zero byte once it is decoded"},
        {"certificate-authority-data: aGVsbG8=",
         AT("60") ".certificate-authority-data: is not PEM once it is decoded"},
    };
#undef AT
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_config("config", rows[i].cluster, "");
        assert_refused(rows[i].cluster, "config", NULL, ERROR_INVALID, rows[i].expected);
    }
}

static void test_kubeconfig_refuse__reads_only_strict_base64(void **state) {
    (void)state;
    const char *const rows[] = {
        "LS0tLS1CRUdJTiBBCg=",
        "LS0tLS1CRUdJTiBBCg",
        "LS0tLS1CRUdJTiBBCh==",
        "LS0tLS1CRUdJTiBBC",
        "LS0tLS1CRUdJTiBBCg===",
        "LS0tLS1CRUdJTiBBCg==A",
        "LS0tLS1CRUdJ=iBBCg==",
        "LS0t LS1CRUdJTiBBCg==",
        "LS0tLS1CRUdJTiB-",
        "LS0tLS1CRUdJTiBBCg====",
        "====",
        "=",
        "LS0tLS1CRUdJTiBBCg==LS0tLS1CRUdJTiBBCg==",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char cluster[200];
        snprintf(cluster, sizeof(cluster), "certificate-authority-data: '%s'", rows[i]);
        write_config("config", cluster, "");
        assert_refused(rows[i], "config", NULL, ERROR_INVALID,
                       "config:5:60: clusters[0].cluster.certificate-authority-data: "
                       "is not base64");
    }
}

static void test_kubeconfig_refuse__says_what_is_wrong_with_a_user(void **state) {
    (void)state;
#define AT(column) "config:6:" column ": users[0].user"
#define BASIC                                                                                      \
    "a user name and a password are not supported, since no API server takes them "                \
    "any more; use a token, a client certificate or exec"
#define LONELY ".as: must be given beside as-uid, as-groups or as-user-extra"
#define EXEC   "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
    const struct {
        const char *user;
        const char *expected;
    } rows[] = {
        {"username: me", AT("36") ".username: " BASIC},
        {"password: p", AT("36") ".password: " BASIC},
        {"auth-provider: {name: gcp}",
         AT("41") ".auth-provider: an auth-provider is not supported; use exec"},
        {"as-groups: [a]", AT("25") LONELY},
        {"as-uid: '1'", AT("25") LONELY},
        {"as-user-extra: {a: [b]}", AT("25") LONELY},
        {"as: [a]", AT("30") ".as: must be a string"},
        {"as: \"a\\nX: y\"", AT("30") ".as: has a character that no header can have"},
        {"as: a, as-groups: b", AT("44") ".as-groups: must be a list"},
        {"as: a, as-groups: [b, 7]", AT("48") ".as-groups[1]: must be a string"},
        {"as: a, as-user-extra: [b]", AT("48") ".as-user-extra: must be a mapping"},
        {"as: a, as-user-extra: {b: c}", AT("48") ".as-user-extra: must be a list"},
        {"token: [a]", AT("33") ".token: must be a string"},
        {"token: 'a b'", AT("33") ".token: has a blank or a character that no token can have"},
        {"token: \"a\\n\"", AT("33") ".token: has a blank or a character that no token can have"},
        {"token: \xc3\xa4", AT("33") ".token: has a blank or a character that no token can have"},
        {"tokenFile: 1", AT("37") ".tokenFile: must be a string"},
        {"client-certificate: a", AT("25") ": there is a client-certificate and no client-key"},
        {"client-key: a", AT("25") ": there is a client-key and no client-certificate"},
        {"client-key-data: " PEM_BASE64,
         AT("25") ": there is a client-key and no client-certificate"},
        {"client-key-data: '-'", AT("43") ".client-key-data: is not base64"},
        {"exec: {}", AT("32") ".exec.command: must be given"},
        {"exec: []", AT("32") ".exec: must be a mapping"},
        {"exec: {command: ''}", AT("32") ".exec.command: must be given"},
        {"exec: {args: [a], apiVersion: client.authentication.k8s.io/v1}",
         AT("32") ".exec.command: must be given"},
        {"exec: {command: x}", AT("32") ".exec.apiVersion: must be given"},
        {"exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}",
         AT("57") ".exec.apiVersion: 'client.authentication.k8s.io/v1alpha1' is not supported; use "
                  "client.authentication.k8s.io/v1"},
        {EXEC "args: a}", AT("96") ".exec.args: must be a list"},
        {EXEC "args: [a, 1]}", AT("100") ".exec.args[1]: must be a string"},
        {EXEC "env: {a: b}}", AT("95") ".exec.env: must be a list"},
        {EXEC "env: [a]}", AT("96") ".exec.env[0]: must be a mapping"},
        {EXEC "env: [{name: a}, {value: b}]}",
         AT("107") ".exec.env[1]: must have a name, without an equals sign"},
        {EXEC "env: [{name: 'a='}]}",
         AT("96") ".exec.env[0]: must have a name, without an equals sign"},
        {EXEC "env: [{name: a, value: 1}]}", AT("113") ".exec.env[0].value: must be a string"},
        {EXEC "interactiveMode: Always}",
         AT("107") ".exec.interactiveMode: 'Always' is not possible, since there is nobody to ask; "
                   "use Never or IfAvailable"},
        {EXEC "provideClusterInfo: 1}",
         AT("110") ".exec.provideClusterInfo: must be true or false"},
    };
#undef AT
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_config("config", "server: 'https://a'", rows[i].user);
        assert_refused(rows[i].user, "config", NULL, ERROR_INVALID, rows[i].expected);
    }
}

static void test_kubeconfig_refuse__says_which_names_there_are(void **state) {
    (void)state;
    const struct {
        const char *row;
        const char *context;
        const char *text;
        enum error_kind kind;
        const char *expected;
    } rows[] = {
        {"the one asked for", "x", HEAD CONTEXT CLUSTERS USERS, ERROR_NOT_FOUND,
         "config: context 'x' is not there; there are: here"},
        {"the current one", NULL,
         "current-context: x\ncontexts: [{name: a}, {name: b, context: null}]\n", ERROR_NOT_FOUND,
         "config: context 'x' is not there; there are: a, b"},
        {"no contexts", "x", HEAD, ERROR_NOT_FOUND,
         "config: context 'x' is not there; there is none"},
        {"no current one", NULL, CONTEXT, ERROR_INVALID,
         "config: there is no current-context; of contexts there are: here"},
        {"an empty current one", NULL, CONTEXT "current-context: ''\n", ERROR_INVALID,
         "config: there is no current-context; of contexts there are: here"},
        {"nothing at all", NULL, "kind: Config\ncontexts: null\n", ERROR_INVALID,
         "config: there is no current-context; of contexts there is none"},
        {"a cluster", NULL, HEAD CONTEXT USERS "clusters: [{name: d}, {name: e}]\n",
         ERROR_NOT_FOUND, "config: cluster 'c' is not there; there are: d, e"},
        {"a user", NULL, HEAD CONTEXT CLUSTERS, ERROR_NOT_FOUND,
         "config: user 'u' is not there; there is none"},
        {"a name that would break the line", "a\nb", HEAD, ERROR_NOT_FOUND,
         "config: context 'a?b' is not there; there is none"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_text("config", rows[i].text);
        assert_refused(rows[i].row, "config", rows[i].context, rows[i].kind, rows[i].expected);
    }
}

static void test_kubeconfig_refuse__says_why_a_file_is_no_kubeconfig(void **state) {
    (void)state;
    const struct {
        const char *row;
        const char *text;
        const char *expected;
    } rows[] = {
        {"empty", "", "config: the file is empty"},
        {"comments", "# none\n", "config:1:1: the document must be a mapping"},
        {"a list", "- a\n", "config:1:1: the document must be a mapping"},
        {"no YAML", "a: [\n", "config:2:1: did not find expected node content"},
        {"a duplicate key", "kind: Config\nkind: Config\n", "config:2:1: "},
        {"another kind", "kind: Pod\n", "config:1:7: kind: 'Pod' is not known; it must be Config"},
        {"another version", "kind: Config\napiVersion: v2\n",
         "config:2:13: apiVersion: 'v2' is not known; it must be v1"},
        {"a kind that is none", "kind: [Config]\n", "config:1:7: kind: must be a string"},
        {"a current-context that is none", "current-context: 5\n",
         "config:1:18: current-context: must be a string"},
        {"clusters that are a mapping", "clusters: {a: b}\n",
         "config:1:11: clusters: must be a list"},
        {"a cluster that is text", "clusters: [a]\n",
         "config:1:12: clusters[0]: must be a mapping"},
        {"no name", "users: [{user: {}}]\n", "config:1:9: users[0].name: must be given"},
        {"an empty name", "users: [{name: ''}]\n", "config:1:16: users[0].name: must be given"},
        {"a name that is none", "users: [{name: 1}]\n",
         "config:1:16: users[0].name: must be a string"},
        {"a name with a zero byte", "users: [{name: \"a\\0\"}]\n",
         "config:1:16: users[0].name: has a zero byte"},
        {"two of a name", "users:\n- name: a\n- name: b\n- name: a\n",
         "config:4:9: users[2].name: 'a' is there twice"},
        {"a context that is text", HEAD "contexts: [{name: here, context: x}]\n",
         "config:4:34: contexts[0].context: must be a mapping"},
        {"a context that is null", HEAD "contexts: [{name: here, context: null}]\n",
         "config:4:34: contexts[0].context.cluster: must be given"},
        {"a context without any", HEAD "contexts: [{name: a}, {name: here}]\n",
         "config:4:23: contexts[1].context.cluster: must be given"},
        {"a namespace that is none",
         HEAD "contexts: [{name: here, context: {cluster: c, namespace: A_b}}]\n",
         "config:4:58: contexts[0].context.namespace: 'A_b' is not the name of a namespace"},
        {"a cluster without any", HEAD CONTEXT "clusters: [{name: c}]\n",
         "config:5:12: clusters[0].cluster.server: must be given"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_access access;
        struct error error = {.text = ""};
        write_text("config", rows[i].text);
        if (kubeconfig_read("config", NULL, &access, &error) || error.kind != ERROR_INVALID ||
            strncmp(error.text, rows[i].expected, strlen(rows[i].expected)) != 0) {
            fail_msg("%s: %s", rows[i].row, error.text);
        }
    }
}

static void test_kubeconfig_refuse__is_a_file_of_at_most_4_mib(void **state) {
    (void)state;
    static const char text[] = HEAD CONTEXT CLUSTERS USERS "# ";
    char *filled = test_malloc(FILE_MAX + 2);
    memset(filled, 'x', FILE_MAX + 1);
    filled[FILE_MAX + 1] = '\0';
    memcpy(filled, text, sizeof(text) - 1);
    write_text("config", filled);
    assert_refused("past it", "config", NULL, ERROR_TOO_LARGE,
                   "'config' is larger than 4194304 bytes");
    filled[FILE_MAX] = '\0';
    write_text("config", filled);
    AUTO(kube_access_fini) struct kube_access access = read_good("config", NULL);
    assert_string_equal(access.server, "https://a");
    test_free(filled);
    assert_refused("missing", "below/missing", NULL, ERROR_NOT_FOUND,
                   "reading 'below/missing': no such file or directory");
    assert_refused("a folder", ".", NULL, ERROR_UNAVAILABLE, "'.' is a folder, not a file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_kubeconfig_refuse__says_what_is_wrong_with_a_cluster),
        IN_FOLDER(test_kubeconfig_refuse__reads_only_strict_base64),
        IN_FOLDER(test_kubeconfig_refuse__says_what_is_wrong_with_a_user),
        IN_FOLDER(test_kubeconfig_refuse__says_which_names_there_are),
        IN_FOLDER(test_kubeconfig_refuse__says_why_a_file_is_no_kubeconfig),
        IN_FOLDER(test_kubeconfig_refuse__is_a_file_of_at_most_4_mib),
    };
    return cmocka_run_group_tests_name("edge/kubeconfig_refuse", tests, NULL, NULL);
}
