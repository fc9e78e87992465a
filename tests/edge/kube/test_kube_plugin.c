// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "edge/file.h"
#include "kube_credential_fixtures.h"

enum { OUTPUT_MAX = 1 << 20, TIMEOUT_MS = 60000 };

#define CREDENTIAL AUTO(free_credential) struct kube_credential *

#define SAYS "credential plugin './plugin': "

/* Shell code that prints the text as it is. */
#define SAY(text) "cat << 'END'\n" text "\nEND\n"

static void test_kube_plugin__says_why_there_is_no_credential(void **state) {
    (void)state;
    const struct {
        const char *script;
        enum error_kind kind;
        const char *expected;
    } rows[] = {
        {"exit 1\n", ERROR_UNAVAILABLE, SAYS "it ended with status 1"},
        {PRINT("\"token\":\"t\"") "exit 255\n", ERROR_UNAVAILABLE, SAYS "it ended with status 255"},
        {PRINT("\"token\":\"t\"") "kill -9 $$\n", ERROR_UNAVAILABLE,
         SAYS "it was ended by signal 9"},
        {"", ERROR_INVALID, SAYS "it printed nothing"},
        {SAY("secret"), ERROR_INVALID,
         SAYS "it printed what is no JSON: a value is expected (byte 0)"},
        {PRINT("") "echo more\n", ERROR_INVALID,
         SAYS "it printed what is no JSON: more follows the value (byte 85)"},
        {SAY("[]"), ERROR_INVALID, SAYS "it printed JSON that is no object"},
        {SAY("null"), ERROR_INVALID, SAYS "it printed JSON that is no object"},
        {SAY("{}"), ERROR_INVALID, SAYS "what it printed has no kind; it must be ExecCredential"},
        {SAY("{\"kind\":\"Status\",\"apiVersion\":\"v1\"}"), ERROR_INVALID,
         SAYS "what it printed has the kind 'Status'; it must be ExecCredential"},
        {SAY("{\"kind\":\"ExecCredential\"}"), ERROR_INVALID,
         SAYS "what it printed has no apiVersion; it must be client.authentication.k8s.io/v1"},
        {SAY("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "beta1\","
             "\"status\":{\"token\":\"t\"}}"),
         ERROR_INVALID,
         SAYS "what it printed has the apiVersion 'client.authentication.k8s.io/v1beta1'; it must "
              "be client.authentication.k8s.io/v1"},
        {SAY("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\"}"), ERROR_INVALID,
         SAYS "it printed neither a token nor a certificate and a key"},
        {SAY("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":null}"),
         ERROR_INVALID, SAYS "it printed neither a token nor a certificate and a key"},
        {SAY("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":[]}"),
         ERROR_INVALID, SAYS "what it printed has a status of another type than it should"},
        {PRINT("\"token\":\"\",\"clientKeyData\":null"), ERROR_INVALID,
         SAYS "it printed neither a token nor a certificate and a key"},
        {PRINT("\"token\":7"), ERROR_INVALID,
         SAYS "what it printed has a status.token of another type than it should"},
        {PRINT("\"token\":\"a b\""), ERROR_INVALID,
         SAYS "it printed a token that has a blank or a character that no token can have"},
        {SAY("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
             "\",\"status\":{\"token\":\"a\\u0000\"}}"),
         ERROR_INVALID,
         SAYS "it printed a token that has a blank or a character that no token can have"},
        {PRINT("\"token\":\"t\",\"clientCertificateData\":\"-----BEGIN C\""), ERROR_INVALID,
         SAYS "it printed a certificate without a key, or a key without a certificate"},
        {PRINT("\"clientKeyData\":\"-----BEGIN K\""), ERROR_INVALID,
         SAYS "it printed a certificate without a key, or a key without a certificate"},
        {PRINT("\"clientKeyData\":\"-----BEGIN K\",\"clientCertificateData\":\"C\""), ERROR_INVALID,
         SAYS "it printed a certificate or a key that is not PEM"},
        {PRINT("\"token\":\"t\",\"expirationTimestamp\":\"tomorrow\""), ERROR_INVALID,
         SAYS "what it printed has an expirationTimestamp that is no time"},
        {PRINT("\"token\":\"t\",\"expirationTimestamp\":5"), ERROR_INVALID,
         SAYS "what it printed has a status.expirationTimestamp of another type than it should"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plugin_access plugin;
        CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
        write_plugin("plugin", rows[i].script);
        assert_fails(rows[i].script, credential, 0, rows[i].kind, rows[i].expected);
    }
}

static void test_kube_plugin__says_why_it_cannot_be_started(void **state) {
    (void)state;
    const struct {
        const char *command, *install_hint;
        enum error_kind kind;
        const char *expected;
    } rows[] = {
        {"./missing", NULL, ERROR_NOT_FOUND,
         "credential plugin './missing': there is no such program"},
        {"no-such-program", "\n  get it\nfrom somewhere\n", ERROR_NOT_FOUND,
         "credential plugin 'no-such-program': there is no such program; get it from somewhere"},
        {"kubelogin",
         "\nkubelogin is not installed which is required to connect to AAD enabled cluster.\n\n"
         "To learn more, please go to https://azure.github.io/kubelogin/\n",
         ERROR_NOT_FOUND,
         "credential plugin 'kubelogin': there is no such program; kubelogin is not installed "
         "which is required to connect to AAD enabled cluster. To learn more, please go to "
         "https://azure.github.io/kubelogin/"},
        {"plain", "", ERROR_NOT_FOUND, "credential plugin 'plain': there is no such program"},
        {"./plain", "get it", ERROR_UNAVAILABLE,
         "credential plugin './plain': it cannot be started: permission denied"},
    };
    write_text("plain", "#!/bin/sh\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plugin_access plugin;
        CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
        plugin.command[0] = (char *)(uintptr_t)rows[i].command;
        plugin.plugin.install_hint = (char *)(uintptr_t)rows[i].install_hint;
        assert_fails(rows[i].command, credential, 0, rows[i].kind, rows[i].expected);
        assert_int_equal(kube_credential_descriptor(credential), -1);
    }
}

static void assert_file_holds(const char *path, const char *expected) {
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init(&content, OUTPUT_MAX);
    assert_true(file_read(path, &content, &error));
    assert_string_equal(buffer_text(&content), expected);
}

static void test_kube_plugin__gets_its_arguments_and_its_environment(void **state) {
    (void)state;
    struct plugin_access plugin;
    use_plugin(&plugin);
    plugin.command[1] = "a b";
    plugin.command[2] = "";
    plugin.environment[0] = "A_GIVEN=x=y";
    plugin.environment[1] = "A_OURS=replaced";
    plugin.environment[2] = "KUBERNETES_EXEC_INFO=replaced as well";
    assert_int_equal(setenv("A_OURS", "ours", 1), 0);
    assert_int_equal(setenv("A_OURS_TOO", "kept", 1), 0);
    write_plugin("plugin", "echo \"$# $1|$2\" > seen\n"
                           "env | grep -E '^(A_|KUBERNETES_EXEC)' | sort >> seen\n"
                           "read line || echo no input >> seen\n" PRINT("\"token\":\"t\""));
    CREDENTIAL credential = kube_credential_new(&plugin.access);
    assert_string_equal(get_ready(credential, 0).token, "t");
    unsetenv("A_OURS");
    unsetenv("A_OURS_TOO");
    assert_file_holds("seen", "2 a b|\n"
                              "A_GIVEN=x=y\n"
                              "A_OURS=replaced\n"
                              "A_OURS_TOO=kept\n"
                              "KUBERNETES_EXEC_INFO={\"apiVersion\":\"" V1 "\","
                              "\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false}}\n"
                              "no input\n");
}

static void test_kube_plugin__gets_the_cluster_if_it_wants_it(void **state) {
    (void)state;
#define INFO(cluster)                                                                              \
    "{\"apiVersion\":\"" V1 "beta1\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false," \
    "\"cluster\":{\"server\":\"https://10.0.0.1:6443\"" cluster "}}}\n"
    const struct {
        char *ca_file, *ca_pem, *tls_server_name, *config;
        bool is_insecure;
        const char *expected;
    } rows[] = {
        {NULL, NULL, NULL, NULL, false, INFO("")},
        {NULL, NULL, NULL, "{\"audience\":[1]}", false, INFO(",\"config\":{\"audience\":[1]}")},
        {NULL, "PEM\n", "other", NULL, false,
         INFO(",\"tls-server-name\":\"other\",\"certificate-authority-data\":\"UEVNCg==\"")},
        {"ca.crt", NULL, NULL, NULL, false, INFO(",\"certificate-authority-data\":\"ZmlsZQ==\"")},
        {NULL, NULL, NULL, NULL, true, INFO(",\"insecure-skip-tls-verify\":true")},
    };
#undef INFO
    write_text("ca.crt", "file");
    write_plugin("plugin", "echo \"$KUBERNETES_EXEC_INFO\" > seen\nexit 1\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plugin_access plugin;
        struct kube_access *access = use_plugin(&plugin);
        plugin.plugin.api_version = V1 "beta1";
        plugin.plugin.wants_cluster = true;
        access->ca_file = rows[i].ca_file;
        access->ca_pem = rows[i].ca_pem;
        access->tls_server_name = rows[i].tls_server_name;
        access->plugin_config = rows[i].config;
        access->is_insecure = rows[i].is_insecure;
        CREDENTIAL credential = kube_credential_new(access);
        assert_fails("it ends", credential, 0, ERROR_UNAVAILABLE, SAYS "it ended with status 1");
        assert_file_holds("seen", rows[i].expected);
    }
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    plugin.plugin.wants_cluster = true;
    plugin.access.ca_file = "missing";
    assert_fails("no CA", credential, 0, ERROR_NOT_FOUND,
                 SAYS "reading 'missing': no such file or directory");
}

/* A plugin does not inherit what the program did to its signals and descriptors. */
static void test_kube_plugin__inherits_no_signals_and_no_descriptors(void **state) {
    (void)state;
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGHUP);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
    void (*handler)(int) = signal(SIGPIPE, SIG_IGN);
    int extra = fcntl(open("/dev/null", O_RDONLY), F_DUPFD, 100);
    assert_true(extra >= 100);
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    write_plugin("plugin", "awk '/SigBlk/ { print $2 }' /proc/self/status > blocked\n"
                           "awk '/SigIgn/ { print $2 }' /proc/self/status > ignored\n"
                           "if [ -e /proc/$$/fd/100 ]; then echo open; else echo closed; fi > fds\n"
                           "readlink /proc/$$/fd/0 >> fds\n" PRINT("\"token\":\"t\""));
    assert_string_equal(get_ready(credential, 0).token, "t");
    close(extra);
    signal(SIGPIPE, handler);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    assert_file_holds("blocked", "0000000000000000\n");
    assert_file_holds("fds", "closed\n/dev/null\n");
    AUTO(buffer_fini) struct buffer ignored;
    struct error error;
    buffer_init(&ignored, 100);
    assert_true(file_read("ignored", &ignored, &error));
    uint64_t bits = strtoull(buffer_text(&ignored), NULL, 16);
    assert_int_equal(bits >> (SIGPIPE - 1) & 1, 0);
}

static void test_kube_plugin__is_searched_in_path_only_without_a_slash(void **state) {
    (void)state;
    struct plugin_access plugin;
    AUTO(buffer_fini) struct buffer path;
    buffer_init(&path, OUTPUT_MAX);
    const char *before = getenv("PATH");
    buffer_add_format(&path, "%s/bin:%s", (const char *)*state, before);
    assert_int_equal(mkdir("bin", 0755), 0);
    write_plugin("bin/capstan-test-plugin", PRINT("\"token\":\"from PATH\"") "exit 3\n");
    write_plugin("capstan-test-plugin", PRINT("\"token\":\"here\"") "exit 4\n");
    buffer_text(&path);
    char *old = strdup(before);
    assert_int_equal(setenv("PATH", buffer_text(&path), 1), 0);
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    plugin.command[0] = "capstan-test-plugin";
    assert_fails("in PATH", credential, 0, ERROR_UNAVAILABLE,
                 "credential plugin 'capstan-test-plugin': it ended with status 3");
    plugin.command[0] = "./capstan-test-plugin";
    assert_fails("here", credential, 5000, ERROR_UNAVAILABLE,
                 "credential plugin './capstan-test-plugin': it ended with status 4");
    assert_int_equal(setenv("PATH", old, 1), 0);
    free(old);
}

/* It waits until somebody writes into the pipe `gate`, and at its end into `gate-2`. */
static void test_kube_plugin__does_not_block_while_it_runs(void **state) {
    (void)state;
    struct plugin_access plugin;
    struct kube_identity identity;
    struct error error;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    assert_int_equal(mkfifo("gate", 0600), 0);
    assert_int_equal(mkfifo("gate-2", 0600), 0);
    write_plugin("plugin", "read line < gate\n" PRINT("\"token\":\"t\"") "read line < gate-2\n");
    assert_int_equal(kube_credential_descriptor(credential), -1);
    assert_int_equal(kube_credential_get(credential, 0, &identity, &error),
                     KUBE_CREDENTIAL_PENDING);
    struct pollfd any = {.fd = kube_credential_descriptor(credential), .events = POLLIN};
    assert_int_equal(poll(&any, 1, 0), 0);
    assert_int_equal(kube_credential_get(credential, 1, &identity, &error),
                     KUBE_CREDENTIAL_PENDING);
    write_text("gate", "go\n");
    assert_int_equal(poll(&any, 1, WAIT_MS), 1);
    /* It has printed everything but still runs. */
    assert_int_equal(kube_credential_get(credential, 2, &identity, &error),
                     KUBE_CREDENTIAL_PENDING);
    assert_int_equal(kube_credential_descriptor(credential), any.fd);
    assert_int_equal(poll(&any, 1, 0), 0);
    write_text("gate-2", "go\n");
    assert_string_equal(get_ready(credential, 3).token, "t");
    assert_int_equal(kube_credential_descriptor(credential), -1);
}

static void test_kube_plugin__may_close_its_output_before_it_ends(void **state) {
    (void)state;
    struct plugin_access plugin;
    struct kube_identity identity;
    struct error error;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    assert_int_equal(mkfifo("gate", 0600), 0);
    write_plugin("plugin", PRINT("\"token\":\"t\"") "exec >&-\nread line < gate\n");
    assert_int_equal(kube_credential_get(credential, 0, &identity, &error),
                     KUBE_CREDENTIAL_PENDING);
    /* The output was read and closed, so it must not wake us again. */
    int gate = open("gate", O_WRONLY | O_CLOEXEC);
    assert_true(gate >= 0);
    assert_int_equal(kube_credential_get(credential, 1, &identity, &error),
                     KUBE_CREDENTIAL_PENDING);
    struct pollfd any = {.fd = kube_credential_descriptor(credential), .events = POLLIN};
    assert_int_equal(poll(&any, 1, 0), 0);
    assert_int_equal(write(gate, "go\n", 3), 3);
    close(gate);
    assert_string_equal(get_ready(credential, 2).token, "t");
}

/* For example one that keeps a cache. It holds the plugin's output open. */
static void test_kube_plugin__may_leave_a_process_behind(void **state) {
    (void)state;
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    assert_int_equal(mkfifo("gate", 0600), 0);
    assert_int_equal(mkfifo("reply", 0600), 0);
    int reply = open("reply", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    write_plugin("plugin", "(read line < gate; echo there > reply) &\n" PRINT("\"token\":\"t\""));
    assert_string_equal(get_ready(credential, 0).token, "t");
    int gate = open("gate", O_RDWR | O_CLOEXEC); /* does not wait for a reader */
    assert_int_equal(write(gate, "go\n", 3), 3);
    struct pollfd reader = {.fd = reply, .events = POLLIN};
    assert_int_equal(poll(&reader, 1, WAIT_MS), 1);
    assert_true(reader.revents & POLLIN);
    close(gate);
    close(reply);
}

static void test_kube_plugin__ends_well_where_sigchld_is_ignored(void **state) {
    (void)state;
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    write_plugin("plugin", PRINT("\"token\":\"t\""));
    void (*handler)(int) = signal(SIGCHLD, SIG_IGN);
    assert_string_equal(get_ready(credential, 0).token, "t");
    signal(SIGCHLD, handler);
}

static void test_kube_plugin__prints_at_most_1_mib(void **state) {
    (void)state;
    static const char text[] = "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\","
                               "\"status\":{\"token\":\"t\"}}";
    const struct {
        size_t size;
        bool is_read;
    } rows[] = {{OUTPUT_MAX, true}, {OUTPUT_MAX + 1, false}};
    char *output = test_malloc(OUTPUT_MAX + 2);
    write_plugin("plugin", "cat output\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plugin_access plugin;
        CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
        memset(output, ' ', rows[i].size);
        output[rows[i].size] = '\0';
        memcpy(output, text, sizeof(text) - 1);
        write_text("output", output);
        if (rows[i].is_read) {
            assert_string_equal(get_ready(credential, 0).token, "t");
        } else {
            assert_fails("past it", credential, 0, ERROR_TOO_LARGE,
                         SAYS "it printed more than 1048576 bytes");
        }
    }
    test_free(output);
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    write_plugin("plugin", "yes\n");
    assert_fails("endless", credential, 0, ERROR_TOO_LARGE,
                 SAYS "it printed more than 1048576 bytes");
}

/* The script and its child keep the pipe `alive` open. It ends when both are gone. */
static int start_endless(struct kube_credential *credential) {
    struct kube_identity identity;
    struct error error;
    char byte;
    unlink("alive");
    assert_int_equal(mkfifo("alive", 0600), 0);
    int alive = open("alive", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(alive >= 0);
    write_plugin("plugin", "exec 3> alive\nsleep 1000 &\necho >&3\nsleep 1000\n");
    assert_int_equal(kube_credential_get(credential, 1000, &identity, &error),
                     KUBE_CREDENTIAL_PENDING);
    struct pollfd reader = {.fd = alive, .events = POLLIN};
    assert_int_equal(poll(&reader, 1, WAIT_MS), 1);
    assert_int_equal(read(alive, &byte, 1), 1);
    return alive;
}

static void assert_ends(int alive) {
    char byte;
    struct pollfd reader = {.fd = alive, .events = POLLIN};
    assert_int_equal(poll(&reader, 1, WAIT_MS), 1);
    assert_int_equal(read(alive, &byte, 1), 0);
    close(alive);
}

static void test_kube_plugin__is_killed_with_its_children_after_60_s(void **state) {
    (void)state;
    struct plugin_access plugin;
    struct kube_identity identity;
    struct error error;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    int alive = start_endless(credential);
    assert_int_equal(kube_credential_get(credential, 1000 + TIMEOUT_MS - 1, &identity, &error),
                     KUBE_CREDENTIAL_PENDING);
    assert_int_equal(kube_credential_get(credential, 1000 + TIMEOUT_MS, &identity, &error),
                     KUBE_CREDENTIAL_FAILED);
    assert_string_equal(error.text, SAYS "it did not end within 60 s");
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_int_equal(kube_credential_descriptor(credential), -1);
    assert_ends(alive);
}

static void test_kube_plugin__is_killed_when_its_run_is_freed(void **state) {
    (void)state;
    struct plugin_access plugin;
    struct kube_credential *credential = kube_credential_new(use_plugin(&plugin));
    int alive = start_endless(credential);
    kube_credential_free(credential);
    assert_ends(alive);
}

static size_t count_descriptors(void) {
    size_t n = 0;
    for (int i = 0; i < 256; i++) {
        n += fcntl(i, F_GETFD) >= 0;
    }
    return n;
}

static void test_kube_plugin__leaves_no_descriptors_and_no_children(void **state) {
    (void)state;
    size_t before = count_descriptors();
    const char *const scripts[] = {PRINT("\"token\":\"t\""), "exit 1\n", "kill -9 $$\n", "yes\n"};
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct plugin_access plugin;
        struct kube_identity identity;
        struct error error;
        CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
        write_plugin("plugin", scripts[i]);
        enum kube_credential_state ended = wait_for_plugin(credential, 0, &identity, &error);
        assert_int_equal(ended == KUBE_CREDENTIAL_READY, i == 0);
        plugin.command[0] = "./missing";
        (void)kube_credential_refuse(credential);
        ended = wait_for_plugin(credential, 5000, &identity, &error);
        assert_int_equal(ended, KUBE_CREDENTIAL_FAILED);
        assert_int_equal(count_descriptors(), before);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_kube_plugin__says_why_there_is_no_credential),
        IN_FOLDER(test_kube_plugin__says_why_it_cannot_be_started),
        IN_FOLDER(test_kube_plugin__gets_its_arguments_and_its_environment),
        IN_FOLDER(test_kube_plugin__gets_the_cluster_if_it_wants_it),
        IN_FOLDER(test_kube_plugin__inherits_no_signals_and_no_descriptors),
        IN_FOLDER(test_kube_plugin__is_searched_in_path_only_without_a_slash),
        IN_FOLDER(test_kube_plugin__does_not_block_while_it_runs),
        IN_FOLDER(test_kube_plugin__may_close_its_output_before_it_ends),
        IN_FOLDER(test_kube_plugin__may_leave_a_process_behind),
        IN_FOLDER(test_kube_plugin__ends_well_where_sigchld_is_ignored),
        IN_FOLDER(test_kube_plugin__prints_at_most_1_mib),
        IN_FOLDER(test_kube_plugin__is_killed_with_its_children_after_60_s),
        IN_FOLDER(test_kube_plugin__is_killed_when_its_run_is_freed),
        IN_FOLDER(test_kube_plugin__leaves_no_descriptors_and_no_children),
    };
    return cmocka_run_group_tests_name("edge/kube_plugin", tests, NULL, NULL);
}
