// SPDX-License-Identifier: Apache-2.0

/*
 * The start of the program, and its refusals to start. Each refusal is one line that names the
 * fault and its place. The exit status is 2 for a wrong call, and 1 for a failure of the system.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/clock.h"
#include "edge/x509.h"
#include "wire.h"

enum { OUTPUT_SIZE = 8192, DAY_S = 86400 };

/* If it starts against expectation, timeout ends it. */
#define SERVE                                                                                      \
    "timeout 5 \"$CAPSTAN\" serve --webhook-bind-address 127.0.0.1:0 "                             \
    "--health-probe-bind-address 127.0.0.1:0 --metrics-bind-address 127.0.0.1:0 "                  \
    "--shutdown-delay 0s "
#define OBJECTS "--objects $FOLDER/objects "
#define CERTS   "--webhook-cert-path $FOLDER/certs --log-level warn "

static int set_up(void **state) {
    struct program *program = memory_new(1, sizeof(*program));
    *state = program;
    program_init(program);
    program_put_sample(program, "mcpservers-live.json");
    return 0;
}

static int tear_down(void **state) {
    program_fini(*state);
    free(*state);
    return 0;
}

/* Copies the text, with the folder in place of $FOLDER. */
static void expand(const struct program *program, const char *text, char out[OUTPUT_SIZE]) {
    static const char mark[] = "$FOLDER";
    const char *at = strstr(text, mark);
    if (at == NULL) {
        snprintf(out, OUTPUT_SIZE, "capstan: %s", text);
    } else {
        snprintf(out, OUTPUT_SIZE, "capstan: %.*s%s%s", (int)(at - text), text, program->folder,
                 at + strlen(mark));
    }
}

/* Runs the command. Fails the test unless the command ends with this status and prints one line
   that begins with "capstan: " and the text. */
static void assert_refuses(const struct program *program, const char *command, int status,
                           const char *text) {
    char output[OUTPUT_SIZE];
    char expected[OUTPUT_SIZE];
    int is = program_shell(program, command, output, sizeof(output));
    expand(program, text, expected);
    if (is != status || strncmp(output, expected, strlen(expected)) != 0) {
        fail_msg("%s: exit status %d, not %d; '%s', not '%s...'", command, is, status, output,
                 expected);
    }
    const char *end = strchr(output, '\n');
    assert_non_null(end);
    assert_string_equal(end, "\n");
}

struct file_row {
    const char *text;
    const char *refusal;
};

#define POLICY "apiVersion: capstan.dev/v1\nkind: PolicyConfig\n"

static void test_start__refuses_a_bad_policy_with_file_line_and_key(void **state) {
    static const struct file_row rows[] = {
        {POLICY "stdioCap: {mod: enforce}\n",
         "$FOLDER/policy.yaml:3:12: stdioCap.mod: unknown key"},
        {POLICY "\n# two lines more\nstdioCaps: {}\n",
         "$FOLDER/policy.yaml:5:1: stdioCaps: unknown key"},
        {POLICY "stdioCap:\n  mode: 7\n", "$FOLDER/policy.yaml:4:9: stdioCap.mode: "},
        {POLICY "stdioCap: {mode: sometimes}\n",
         "$FOLDER/policy.yaml:3:18: stdioCap.mode: 'sometimes'"},
        {POLICY "stdioCap: {mode: on}\n", "$FOLDER/policy.yaml:3:18: stdioCap.mode: "},
        {POLICY "sessionStorage: {mode: enforce}\n",
         "$FOLDER/policy.yaml:3:24: sessionStorage.mode: "},
        {POLICY "gracePeriod: {seconds: -1}\n", "$FOLDER/policy.yaml:3:24: gracePeriod.seconds: "},
        {POLICY "gracePeriod: {seconds: \"30\"}\n",
         "$FOLDER/policy.yaml:3:24: gracePeriod.seconds: "},
        {POLICY "onUnresolved: maybe\n", "$FOLDER/policy.yaml:3:15: onUnresolved: "},
        {POLICY "conditions: {write: sometimes}\n",
         "$FOLDER/policy.yaml:3:21: conditions.write: 'sometimes' is not known; use on, auto or "
         "off"},
        {POLICY "conditions: {write: 1}\n", "$FOLDER/policy.yaml:3:21: conditions.write: "},
        {POLICY "exempt:\n- {namespace: a, until: tomorrow}\n",
         "$FOLDER/policy.yaml:4:25: exempt[0].until: 'tomorrow'"},
        {"apiVersion: capstan.dev/v2\nkind: PolicyConfig\n",
         "$FOLDER/policy.yaml:1:13: apiVersion: "},
        {"kind: PolicyConfig\n", "$FOLDER/policy.yaml:1:1: apiVersion: "},
        {"[]\n", "$FOLDER/policy.yaml:1:1: "},
        {POLICY "stdioCap: {mode: warn\n", "$FOLDER/policy.yaml:4:1: "},
        {POLICY "onUnresolved: fail\nonUnresolved: allow\n",
         "$FOLDER/policy.yaml:4:1: duplicate key 'onUnresolved'"},
        {"\tapiVersion: capstan.dev/v1\n", "$FOLDER/policy.yaml:1:1: "},
        {POLICY "---\n" POLICY, "$FOLDER/policy.yaml:4:1: a policy is one document"},
        {"", "$FOLDER/policy.yaml: is empty"},
        {"# nothing\n---\n", "$FOLDER/policy.yaml: is empty"},
    };
    const struct program *program = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        program_put(program, "policy.yaml", rows[i].text);
        assert_refuses(program, SERVE OBJECTS CERTS "--config $FOLDER/policy.yaml", 2,
                       rows[i].refusal);
    }
}

static void test_start__refuses_bad_objects_with_file_and_line(void **state) {
    static const struct file_row rows[] = {
        {"a: [\n", "$FOLDER/objects/bad.yaml:2:1: "},
        {"a: b\na: c\n", "$FOLDER/objects/bad.yaml:2:1: duplicate key 'a'"},
        {"hello\n", "$FOLDER/objects/bad.yaml:1:1: "},
        {"# a comment\n---\nkind: MCPServer\n---\n- a list\n", "$FOLDER/objects/bad.yaml:5:1: "},
        {"a: !!binary x\n", "$FOLDER/objects/bad.yaml:1:4: "},
        {"{\"kind\": \"List\",\n \"items\": [,]}\n", "$FOLDER/objects/bad.yaml:2:"},
    };
    const struct program *program = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        program_put(program, "objects/bad.yaml", rows[i].text);
        assert_refuses(program, SERVE OBJECTS CERTS, 2, rows[i].refusal);
    }
}

static void write_pair(const struct program *program, const struct x509_pair *certificate,
                       const struct x509_pair *key) {
    program_put(program, "certs/tls.crt", certificate->certificate_pem);
    program_put(program, "certs/tls.key", key->key_pem);
}

static void test_start__refuses_a_certificate_that_cannot_serve(void **state) {
    static const char *const names[] = {"localhost"};
    const struct program *program = *state;
    const int64_t now = clock_wall_seconds();
    struct x509_pair pairs[3];
    struct x509_pair ca;
    struct error error;
    assert_true(x509_make_ca("test", now - 10 * DAY_S, 20 * DAY_S, &ca, &error));
    for (int i = 0; i < 3; i++) {
        /* An expired one, a valid one, and one that has not begun. */
        assert_true(
            x509_make_leaf(&ca, names, 1, now + (i - 1) * 4 * DAY_S, DAY_S, &pairs[i], &error));
    }
    write_pair(program, &pairs[1], &pairs[0]);
    assert_refuses(program, SERVE OBJECTS CERTS, 2,
                   "$FOLDER/certs/tls.crt and tls.key: the key is not that of the certificate");
    write_pair(program, &pairs[0], &pairs[0]);
    assert_refuses(program, SERVE OBJECTS CERTS, 2, "$FOLDER/certs/tls.crt and tls.key: ");
    write_pair(program, &pairs[2], &pairs[2]);
    assert_refuses(program, SERVE OBJECTS CERTS, 2, "$FOLDER/certs/tls.crt and tls.key: ");
    write_pair(program, &pairs[1], &pairs[1]);
    program_put(program, "certs/tls.key", "");
    assert_refuses(program, SERVE OBJECTS CERTS, 2,
                   "$FOLDER/certs/tls.crt and tls.key: the key cannot be read: there is none in");
    program_put(program, "certs/tls.crt", "garbage\n");
    assert_refuses(program, SERVE OBJECTS CERTS, 2,
                   "$FOLDER/certs/tls.crt and tls.key: the certificate cannot be read: there is "
                   "none in");
    for (int i = 0; i < 3; i++) {
        x509_pair_fini(&pairs[i]);
    }
    x509_pair_fini(&ca);
}

static void test_start__refuses_missing_or_wrong_files(void **state) {
    static const struct {
        const char *arguments;
        int status;
        const char *refusal;
    } rows[] = {
        {OBJECTS CERTS "--config $FOLDER/none.yaml", 2,
         "reading '$FOLDER/none.yaml': no such file"},
        {OBJECTS CERTS "--config $FOLDER", 1, "'$FOLDER' is a folder"},
        {OBJECTS CERTS "--objects $FOLDER/none", 2, "looking at '$FOLDER/none': no such file"},
        {OBJECTS "--log-level warn --webhook-cert-path $FOLDER/none", 2,
         "reading '$FOLDER/none/tls.crt': no such"},
        {OBJECTS CERTS "--webhook-cert-key none", 2, "reading '$FOLDER/certs/none': no such file"},
        {OBJECTS CERTS "--status-dir $FOLDER/certs/tls.crt", 1,
         "--status-dir: '$FOLDER/certs/tls.crt' is there and not a folder"},
        /* The program would read its own files there as objects, or overwrite objects. */
        {OBJECTS CERTS "--status-dir $FOLDER/objects", 2,
         "--status-dir '$FOLDER/objects' and --objects "},
        {OBJECTS CERTS "--status-dir $FOLDER", 2, "--status-dir '$FOLDER' and --objects "},
        {OBJECTS CERTS "--status-dir $FOLDER/certs/../objects/status", 2,
         "--status-dir '$FOLDER/certs/../objects/status' and --objects "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char command[1024];
        snprintf(command, sizeof(command), SERVE "%s", rows[i].arguments);
        assert_refuses(*state, command, rows[i].status, rows[i].refusal);
    }
}

static void test_start__refuses_wrong_usage_with_exit_status_2(void **state) {
#define NOT_A_POD                                                                                  \
    "this is not a pod, since KUBERNETES_SERVICE_HOST is not set; outside of a cluster give "      \
    "--kubeconfig FILE or --objects PATH"
    static const struct {
        const char *arguments;
        const char *refusal;
    } rows[] = {
        {"serve", "this is not a pod, since KUBERNETES_SERVICE_HOST is not set"},
        {"serve --service-name a.b", "--service-name: 'a.b' is not the name of a Service"},
        {"serve --webhook-config-name A",
         "--webhook-config-name: 'A' is not the name of an object"},
        {"serve " CERTS "--fail-closed", "--fail-closed is for certificates that Capstan makes"},
        {"serve " OBJECTS CERTS "--fail-closed", "--fail-closed is for a cluster"},
        {"serve " CERTS, NOT_A_POD},
        {"serve " CERTS "--kubeconfig $FOLDER/none", "reading '$FOLDER/none': no such file"},
        {"serve " CERTS "--kubeconfig $FOLDER/certs/tls.crt", "$FOLDER/certs/tls.crt"},
        {"serve " OBJECTS CERTS "--kubeconfig x", "--kubeconfig is for a cluster"},
        {"serve " OBJECTS CERTS "--leader-elect", "--leader-elect is for a cluster"},
        {"serve " OBJECTS CERTS "--namespace x", "--namespace is for a cluster"},
        {"serve " OBJECTS CERTS "--watch-namespace x", "--watch-namespace is for a cluster"},
        {"serve --watch-namespace ''", "--watch-namespace must not be empty"},
        {"serve --watch-namespace a.b", "--watch-namespace: 'a.b' is not the name of a namespace"},
        {"serve --watch-namespace a --watch-namespace b --watch-namespace a",
         "--watch-namespace: 'a' is there twice"},
        {"serve $(seq -f '--watch-namespace n%g' 64) --kubeconfig /nowhere", "reading '/nowhere'"},
        {"serve $(seq -f '--watch-namespace n%g' 65)", "--watch-namespace: 64 namespaces at most"},
        {"serve " CERTS "--status-dir x", "--status-dir goes with --objects"},
        {"serve " CERTS "--namespace a/b", "--namespace: 'a/b' is not the name of a namespace"},
        {"serve " OBJECTS, "--objects needs --webhook-cert-path DIR"},
        {"serve --bogus", "unknown option '--bogus'"},
        {"serve --objects", "--objects needs a value"},
        {"serve -x", "'-x' is not an option"},
        {"serve objects", "'objects' is not an option"},
        {"serve " OBJECTS CERTS "--log-format xml", "--log-format: 'xml'"},
        {"serve " OBJECTS CERTS "--log-level loud", "--log-level: 'loud'"},
        {"serve " OBJECTS CERTS "--shutdown-delay 5", "--shutdown-delay: '5'"},
        {"serve " OBJECTS CERTS "--shutdown-delay=25h", "--shutdown-delay: '25h'"},
        {"serve " OBJECTS CERTS "--workers 0", "--workers: '0'"},
        {"serve " OBJECTS CERTS "--workers 1025", "--workers: '1025'"},
        {"serve " OBJECTS CERTS "--webhook-bind-address nowhere", "--webhook-bind-address: "},
        {"serve " OBJECTS CERTS "--webhook-bind-address 127.0.0.1:65536",
         "--webhook-bind-address: "},
        {"serve " OBJECTS CERTS "--webhook-bind-address 0", "--webhook-bind-address: "},
        {"certs", "certs needs --out DIR"},
        {"certs --out $FOLDER/certs", "'"},
        {"version x", "version takes no argument"},
        {"help serve x", "help takes one command"},
        {"help bogus", "unknown command 'bogus'"},
        {"bogus", "unknown command 'bogus'"},
        {"--bogus", "unknown command '--bogus'"},
        {"''", "unknown command ''"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char command[1024];
        snprintf(command, sizeof(command), "timeout 5 \"$CAPSTAN\" %s", rows[i].arguments);
        assert_refuses(*state, command, 2, rows[i].refusal);
    }
}

static void test_start__prints_version_and_help(void **state) {
    static const struct {
        const char *arguments;
        const char *part;
    } rows[] = {
        {"version", "capstan " CAPSTAN_VERSION "\n"},
        {"--version", "capstan " CAPSTAN_VERSION "\n"},
        {"help", "Usage: capstan COMMAND"},
        {"--help", "Usage: capstan COMMAND"},
        {"-h", "Usage: capstan COMMAND"},
        {"help serve", "--webhook-cert-path DIR"},
        {"serve --help", "--webhook-cert-path DIR"},
        {"serve --bogus -h", NULL},
        {"certs --help", "--dns NAME"},
        {"help certs", "--dns NAME"},
        {"help version", "print the version"},
        {"help help", "print this help"},
    };
    char output[OUTPUT_SIZE];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char command[256];
        snprintf(command, sizeof(command), "\"$CAPSTAN\" %s 2>/dev/null", rows[i].arguments);
        int status = program_shell(*state, command, output, sizeof(output));
        assert_int_equal(status, rows[i].part == NULL ? 2 : 0);
        if (rows[i].part != NULL && strstr(output, rows[i].part) == NULL) {
            fail_msg("%s: '%s'", rows[i].arguments, output);
        }
    }
    /* Without a command it prints the help, and does not succeed. */
    assert_int_equal(program_shell(*state, "\"$CAPSTAN\"", output, sizeof(output)), 2);
    assert_non_null(strstr(output, "Usage: capstan COMMAND"));
}

static void test_start__two_on_one_port_is_one_too_many(void **state) {
    struct program *program = *state;
    char command[1024];
    char text[128];
    const struct {
        const char *option;
        uint16_t *port;
    } rows[] = {{"--webhook-bind-address", &program->webhook_port},
                {"--health-probe-bind-address", &program->probe_port},
                {"--metrics-bind-address", &program->metrics_port}};
    program_start(program);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(command, sizeof(command), SERVE OBJECTS CERTS "%s 127.0.0.1:%u", rows[i].option,
                 *rows[i].port);
        snprintf(text, sizeof(text), "%s: cannot listen on '127.0.0.1:%u': Address already in use",
                 rows[i].option, *rows[i].port);
        assert_refuses(program, command, 1, text);
    }
    struct verdict verdict;
    wire_ask_sample(program, "02-MCPServer-CREATE-weather", &verdict);
    wire_assert(&verdict, "the first one", "", "session-storage");
    assert_int_equal(program_stop(program), 0);
}

static void test_start__serves_without_probes_and_metrics(void **state) {
    char output[OUTPUT_SIZE];
    int status = program_shell(
        *state,
        "timeout --preserve-status -s TERM 1 \"$CAPSTAN\" serve " OBJECTS CERTS
        "--webhook-bind-address 127.0.0.1:0 --health-probe-bind-address 0 --metrics-bind-address 0 "
        "--shutdown-delay 0s --log-level info --log-format text",
        output, sizeof(output));
    assert_int_equal(status, 0);
    assert_non_null(strstr(output, " INFO  serve.ready "));
    assert_non_null(strstr(output, " probePort=0 metricsPort=0 "));
    assert_non_null(strstr(output, " INFO  serve.stopped "));
}

/* As by default, but on free ports. */
static void test_start__answers_over_ipv6_and_ipv4(void **state) {
    static const char *const hosts[] = {"127.0.0.1", "[::1]"};
    struct program *program = *state;
    char command[1024];
    char output[OUTPUT_SIZE];
    program->host = "";
    program_start(program);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        snprintf(command, sizeof(command),
                 "ask() { curl -sSg --noproxy '*' --max-time 10 -o /dev/null "
                 "-w '%%{http_code} ' \"$@\"; }; "
                 "ask --cacert $FOLDER/certs/ca.crt --connect-to localhost:443:%s:%u "
                 "https://localhost/mutate -X POST; ask http://%s:%u/readyz; "
                 "ask http://%s:%u/metrics",
                 hosts[i], program->webhook_port, hosts[i], program->probe_port, hosts[i],
                 program->metrics_port);
        assert_int_equal(program_shell(program, command, output, sizeof(output)), 0);
        assert_string_equal(output, "400 200 200 ");
    }
    assert_int_equal(program_stop(program), 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_start__refuses_a_bad_policy_with_file_line_and_key),
        FRESH(test_start__refuses_bad_objects_with_file_and_line),
        FRESH(test_start__refuses_a_certificate_that_cannot_serve),
        FRESH(test_start__refuses_missing_or_wrong_files),
        FRESH(test_start__refuses_wrong_usage_with_exit_status_2),
        FRESH(test_start__prints_version_and_help),
        FRESH(test_start__two_on_one_port_is_one_too_many),
        FRESH(test_start__answers_over_ipv6_and_ipv4),
        FRESH(test_start__serves_without_probes_and_metrics),
    };
    return cmocka_run_group_tests_name("wire/start", tests, NULL, NULL);
}
