// SPDX-License-Identifier: Apache-2.0

/*
 * `capstan review` as a pipeline runs it: a process with an exit status. Every test works in a
 * folder of its own, which has the files below.
 */

#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/file/file_fixtures.h"
#include "program.h"

enum { OUTPUT_SIZE = 256 * 1024 };

#define SERVER(name, spec)                                                                         \
    "apiVersion: toolhive.stacklok.dev/v1beta1\nkind: MCPServer\nmetadata: {name: " name           \
    "}\nspec: {image: i, " spec "}\n"
#define DEPLOYMENT_OF(name, metadata, replicas)                                                    \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: " name "\n" metadata                \
    "spec:\n  replicas: " replicas "\n  template: {spec: {containers: []}}\n"
#define LABELS(name)                                                                               \
    "  labels: {app.kubernetes.io/name: mcpserver, app.kubernetes.io/instance: " name "}\n"
#define OWNER(name)                                                                                \
    "  ownerReferences:\n  - {apiVersion: toolhive.stacklok.dev/v1beta1, kind: MCPServer, "        \
    "name: " name ", uid: m-1, controller: true}\n"
#define DEPLOYMENT(name, replicas) DEPLOYMENT_OF(name, LABELS(name), replicas)
#define POLICY(members)            "apiVersion: capstan.dev/v1\nkind: PolicyConfig\n" members
#define REDIS                      "sessionStorage: {provider: redis}"

static const struct {
    const char *path;
    const char *text;
} files[] = {
    {"clean.yaml", SERVER("weather", "transport: sse") "---\n" DEPLOYMENT("weather", "4")},
    {"warned.yaml", SERVER("github", "replicas: 3")},
    {"changed.yaml",
     SERVER("search", "transport: sse, replicas: 3, " REDIS) "---\n" DEPLOYMENT("search", "5")},
    {"capped.yaml", SERVER("github", "replicas: 3, " REDIS) "---\n" DEPLOYMENT("github", "3")},
    {"unresolved.yaml", DEPLOYMENT_OF("lost", OWNER("lost"), "3")},
    {"orphan.yaml", DEPLOYMENT("lost", "3")},
    {"others.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"},
    {"empty.yaml", "# nothing\n---\n"},
    {"broken.yaml", "kind: A\nmetadata: [\n"},
    {"no-items.yaml", "apiVersion: v1\nkind: List\nitems: {a: {kind: A}}\n"},
    {"quoted.yaml", "# comment\n" SERVER("a", "replicas: \"{{ .Values.n }}\"")},
    {"bad.json", "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}"},
    {"deny.yaml", POLICY("stdioCap: {mode: deny}\n")},
    {"fail.yaml", POLICY("onUnresolved: fail\n")},
    {"off.yaml", POLICY("stdioCap: {mode: \"off\"}\nsessionStorage: {mode: \"off\"}\n")},
    {"bad-policy.yaml", POLICY("stdioCap: {mode: never}\n")},
};

static int set_up(void **state) {
    int result = enter_folder(state);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        write_text(files[i].path, files[i].text);
    }
    assert_int_equal(mkdir("sub", 0755), 0);
    write_text("sub/warned.yaml", SERVER("github", "replicas: 1"));
    return result;
}

/* The output includes standard error, unless the command redirects it. */
static void check_run(const char *command, int status, const char *const *parts) {
    AUTO_FREE char *output = memory_new(OUTPUT_SIZE, 1);
    int is = program_shell(NULL, command, output, OUTPUT_SIZE);
    if (is != status) {
        fail_msg("%s: exit status %d, not %d: %s", command, is, status, output);
    }
    for (; *parts != NULL; parts++) {
        if (strstr(output, *parts) == NULL) {
            fail_msg("%s: no '%s' in %s", command, *parts, output);
        }
    }
}

#define REVIEW "\"$CAPSTAN\" review "
#define ASSERT_RUN(command, status, ...)                                                           \
    check_run((command), (status), (const char *const[]){__VA_ARGS__, NULL})

/* Checks the whole output, byte for byte. */
static void assert_output(const char *command, const char *expected) {
    AUTO_FREE char *output = memory_new(OUTPUT_SIZE, 1);
    assert_int_equal(program_shell(NULL, command, output, OUTPUT_SIZE), 0);
    assert_string_equal(output, expected);
}

static const char *const forms[] = {"text", "json", "yaml", "patch", "github", "sarif", "junit"};
static const char *const thresholds[] = {"", "--fail-on change", "--fail-on warning"};

static void test_review__the_exit_status_is_the_same_for_every_output(void **state) {
    static const struct {
        const char *arguments;
        int statuses[3]; /* without --fail-on, on change, on warning */
    } rows[] = {
        {"-f clean.yaml", {0, 0, 0}},
        {"-f warned.yaml", {0, 0, 1}},
        {"-f changed.yaml", {0, 1, 1}},
        {"-f capped.yaml", {0, 1, 1}},
        {"-f others.yaml", {0, 0, 0}},
        {"-f empty.yaml", {0, 0, 0}},
        {"-f orphan.yaml", {0, 0, 1}},
        {"-f orphan.yaml --config fail.yaml", {1, 1, 1}},
        {"-f unresolved.yaml", {0, 0, 1}},
        {"-f unresolved.yaml --config fail.yaml", {1, 1, 1}},
        {"-f clean.yaml --config fail.yaml", {0, 0, 0}},
        {"-f warned.yaml --config deny.yaml", {1, 1, 1}},
        {"-f clean.yaml -f warned.yaml --config deny.yaml", {1, 1, 1}},
        {"-f warned.yaml --config deny.yaml --old warned.yaml", {0, 0, 1}},
        {"-f capped.yaml --config off.yaml", {0, 0, 0}},
        {"-f broken.yaml", {2, 2, 2}},
        {"-f nowhere.yaml", {2, 2, 2}},
        {"-f warned.yaml -f broken.yaml --config deny.yaml", {2, 2, 2}},
    };
    (void)state;
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        for (size_t form = 0; form < COUNT_OF(forms); form++) {
            for (size_t i = 0; i < COUNT_OF(thresholds); i++) {
                char command[256];
                snprintf(command, sizeof(command), REVIEW "%s -o %s %s", rows[row].arguments,
                         forms[form], thresholds[i]);
                ASSERT_RUN(command, rows[row].statuses[i], "");
            }
        }
    }
}

static void test_review__unusable_input_is_one_line_on_stderr_and_status_2(void **state) {
    static const struct {
        const char *arguments;
        const char *line;
    } rows[] = {
        {"", "capstan: review needs -f PATH (- for standard input); see --help\n"},
        {"clean.yaml", "capstan: 'clean.yaml' is not an option; see --help\n"},
        {"-f", "capstan: --filename needs a value: PATH\n"},
        {"-f clean.yaml -o xml", "capstan: --output: 'xml' is none of text, json, yaml, "},
        {"-f clean.yaml --fail-on never", "capstan: --fail-on: 'never' is neither warning nor"},
        {"-f clean.yaml --defaults mine", "capstan: --defaults: 'mine' is neither server nor no"},
        {"-f clean.yaml -o json --diff", "capstan: --diff is of the output text, not of json\n"},
        {"-f clean.yaml -o yaml --explain",
         "capstan: --explain is of the outputs text, json and junit, not of yaml\n"},
        {"-f clean.yaml -o patch --explain", "capstan: --explain is of "},
        {"-f clean.yaml -o github --explain", "capstan: --explain is of "},
        {"-f clean.yaml -o sarif --explain", "capstan: --explain is of "},
        {"-f clean.yaml --what", "capstan: "},
        {"-f nowhere", "capstan: looking at 'nowhere': no such file or directory\n"},
        {"-f broken.yaml", "capstan: broken.yaml:3:1: "},
        {"-f - <broken.yaml", "capstan: <stdin>:3:1: "},
        {"-f clean.yaml -f no-items.yaml", "capstan: no-items.yaml:3:8: the items of a list are "},
        {"-f clean.yaml -f quoted.yaml", "capstan: quoted.yaml:5:28: '{{' looks like a template"},
        {"-f clean.yaml --facts quoted.yaml", "capstan: quoted.yaml:5:28: '{{' looks like"},
        {"-f clean.yaml -f bad.json -o yaml", "capstan: bad.json:1:1: malformed AdmissionReview: "},
        {"-f clean.yaml -f bad.json -o json", "capstan: bad.json:1:1: malformed AdmissionReview: "},
        {"-f warned.yaml -f sub/warned.yaml",
         "capstan: sub/warned.yaml:1:1: MCPServer default/github is there twice, first at "
         "warned.yaml:1:1; review one state of it at a time\n"},
        {"-f clean.yaml --facts capped.yaml --facts warned.yaml",
         "capstan: warned.yaml:1:1: MCPServer default/github is there twice, first at "
         "capped.yaml:1:1; "},
        {"-f clean.yaml --old changed.yaml --old - <changed.yaml",
         "capstan: <stdin>:1:1: MCPServer default/search is there twice, first at "
         "changed.yaml:1:1; "},
        {"-f clean.yaml --facts broken.yaml", "capstan: broken.yaml:3:1: "},
        {"-f clean.yaml --facts nowhere", "capstan: looking at 'nowhere': "},
        {"-f clean.yaml --old broken.yaml", "capstan: broken.yaml:3:1: "},
        {"-f clean.yaml --old nowhere", "capstan: looking at 'nowhere': "},
        {"-f clean.yaml --config nowhere", "capstan: "},
        {"-f clean.yaml --config bad-policy.yaml", "capstan: bad-policy.yaml:3:18: stdioCap.mode"},
        {"-f clean.yaml --kubeconfig nowhere", "capstan: "},
        {"-f /proc/self/mem", "capstan: reading '/proc/self/mem': "},
        {"-f -f", "capstan: looking at '-f': "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char command[256];
        char line[512];
        char output[512];
        snprintf(command, sizeof(command), REVIEW "%s >out", rows[i].arguments);
        int status = program_shell(NULL, command, output, sizeof(output));
        snprintf(line, sizeof(line), "%s", rows[i].line);
        const char *end = strchr(output, '\n');
        bool is_one_line = end != NULL && end[1] == '\0';
        if (status != 2 || strncmp(output, line, strlen(line)) != 0 || !is_one_line) {
            fail_msg("%s: exit status %d: %s", command, status, output);
        }
        ASSERT_RUN("test ! -s out", 0, "");
    }
}

static void test_review__what_cannot_be_written_is_an_error(void **state) {
    (void)state;
    ASSERT_RUN(REVIEW "-f clean.yaml >/dev/full", 2, "capstan: standard output ");
    ASSERT_RUN(REVIEW "-f clean.yaml -o yaml >/dev/full", 2, "capstan: standard output ");
}

static void test_review__the_verdicts_are_those_of_the_policy(void **state) {
    (void)state;
    ASSERT_RUN(REVIEW "-f warned.yaml", 0, "warned.yaml\n  1:1      warning  stdio-cap ",
               "\n1 object: 0 denied, 0 changed, 1 warned, 0 unresolved; 0 passed over\n");
    ASSERT_RUN(REVIEW "-f warned.yaml --config deny.yaml", 1, "  1:1      denied   stdio-cap ",
               "\n1 object: 1 denied, ");
    ASSERT_RUN(REVIEW "-f warned.yaml --config off.yaml", 0,
               "1 object: 0 denied, 0 changed, 0 warned, 0 unresolved; 0 passed over\n");
    ASSERT_RUN(REVIEW "-f capped.yaml --diff", 0, "\n    -  replicas: 3\n    +  replicas: 1\n",
               "2 objects: 0 denied, 1 changed, 2 warned, ");
    ASSERT_RUN(REVIEW "-f changed.yaml -o patch", 0,
               "\"patch\":[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":3}]}\n");
}

static void test_review__facts_name_the_server_of_a_deployment(void **state) {
    (void)state;
    write_text("deployment.yaml", DEPLOYMENT("github", "3"));
    ASSERT_RUN(REVIEW "-f deployment.yaml", 0, "warning  unresolved ",
               "its labels name the MCPServer default/github",
               "1 object: 0 denied, 0 changed, 1 warned, 1 unresolved;");
    ASSERT_RUN(REVIEW "-f deployment.yaml --facts warned.yaml", 0,
               "stdio transport allows 1 replica",
               "1 object: 0 denied, 1 changed, 1 warned, 0 unresolved;");
    ASSERT_RUN(REVIEW "-f deployment.yaml --facts - <warned.yaml", 0,
               "stdio transport allows 1 replica");
    /* The form of `kubectl get mcpservers -A -o yaml`. */
    write_text("live.yaml", "apiVersion: v1\nkind: List\nitems:\n"
                            "- apiVersion: toolhive.stacklok.dev/v1beta1\n  kind: MCPServer\n"
                            "  metadata: {name: github, namespace: default, uid: m-1, "
                            "generation: 4}\n  spec: {image: i, transport: stdio}\n");
    ASSERT_RUN(REVIEW "-f deployment.yaml --facts - <live.yaml", 0,
               "stdio transport allows 1 replica");
    /* An object under review goes before one that is only given. */
    ASSERT_RUN(REVIEW "-f deployment.yaml -f server.yaml --facts warned.yaml", 2, "server.yaml");
    write_text("server.yaml", SERVER("github", "transport: sse"));
    ASSERT_RUN(REVIEW "-f deployment.yaml -f server.yaml --facts warned.yaml", 0,
               "2 objects: 0 denied, 0 changed, 0 warned, 0 unresolved;");
}

static void test_review__a_deployment_of_an_unknown_owner_is_unresolved(void **state) {
    (void)state;
    ASSERT_RUN(REVIEW "-f unresolved.yaml", 0, "warning  unresolved ", "1 unresolved;");
    ASSERT_RUN(REVIEW "-f unresolved.yaml --config fail.yaml", 1, "error    unresolved ");
    ASSERT_RUN(REVIEW "-f unresolved.yaml -o yaml --config fail.yaml 2>/dev/null", 1, "");
    write_text("server.yaml", SERVER("lost", ""));
    ASSERT_RUN(REVIEW "-f unresolved.yaml --facts server.yaml --config fail.yaml", 0,
               "stdio transport allows 1 replica");
}

static void test_review__old_makes_an_update_of_it(void **state) {
    (void)state;
    ASSERT_RUN(REVIEW "-f warned.yaml -o json", 0, "\"operation\":\"CREATE\"");
    ASSERT_RUN(REVIEW "-f warned.yaml --old warned.yaml -o json", 0, "\"operation\":\"UPDATE\"");
    ASSERT_RUN(REVIEW "-f warned.yaml --old - -o json <warned.yaml", 0, "\"operation\":\"UPDATE\"");
    ASSERT_RUN(REVIEW "-f warned.yaml --old clean.yaml -o json", 0, "\"operation\":\"CREATE\"");
    /* Each of these gets a name of its own from the API server. */
    ASSERT_RUN("sed 's/name: github/generateName: gh-/' warned.yaml >new.yaml; " REVIEW
               "-f new.yaml -f - --old new.yaml -o json <new.yaml | jq -c '.items[] | [.operation, "
               ".remark]' | uniq -c",
               0, "2 [\"CREATE\",null]");
}

static void test_review__an_object_that_is_there_twice_is_refused_with_its_place(void **state) {
    (void)state;
    write_text("twice.yaml", "# a comment\n---\n" SERVER("github", "replicas: 1"));
    ASSERT_RUN(REVIEW "-f warned.yaml -f twice.yaml", 2,
               "capstan: twice.yaml:3:1: MCPServer default/github is there twice");
    ASSERT_RUN(REVIEW "-f warned.yaml -f warned.yaml", 2, "warned.yaml:1:1: MCPServer ");
    ASSERT_RUN(REVIEW "-f - <twice.yaml -f twice.yaml", 2, "twice.yaml:3:1: MCPServer ");
    ASSERT_RUN("cat twice.yaml twice.yaml | " REVIEW "-f -", 2, "<stdin>:9:1: MCPServer ");
    /* Objects of another kind or namespace, and objects without rules. */
    write_text("else.yaml", "apiVersion: toolhive.stacklok.dev/v1beta1\nkind: MCPServer\n"
                            "metadata: {name: github, namespace: else}\nspec: {}\n");
    ASSERT_RUN(REVIEW "-f capped.yaml -f else.yaml", 0, "3 objects: ");
    ASSERT_RUN(REVIEW "-f others.yaml -f others.yaml", 0, "2 passed over");
    ASSERT_RUN(REVIEW "-f warned.yaml --facts twice.yaml", 0, "1 object: ");
}

#define AUTOSCALER(version, kind, name)                                                            \
    "apiVersion: " version "\nkind: " kind "\nmetadata: {name: " name "}\n"                        \
    "spec: {maxReplicas: 5, scaleTargetRef: {name: github}}\n"

/* An autoscaler is no fact, and --old must not have two states of it to choose from. */
static void test_review__an_autoscaler_that_is_there_twice_is_refused(void **state) {
    (void)state;
    write_text("hpa.yaml", AUTOSCALER("autoscaling/v2", "HorizontalPodAutoscaler", "a"));
    write_text("hpa-v1.yaml", AUTOSCALER("autoscaling/v1", "HorizontalPodAutoscaler", "a"));
    write_text("scaled.yaml", AUTOSCALER("keda.sh/v1alpha1", "ScaledObject", "a"));
    ASSERT_RUN(REVIEW "-f hpa.yaml -f hpa-v1.yaml", 2,
               "capstan: hpa-v1.yaml:1:1: HorizontalPodAutoscaler default/a is there twice, first "
               "at hpa.yaml:1:1; ");
    ASSERT_RUN(REVIEW "-f scaled.yaml -f scaled.yaml", 2, "ScaledObject default/a is there twice");
    ASSERT_RUN(REVIEW "-f hpa.yaml --old hpa.yaml --old hpa-v1.yaml", 2, "is there twice");
    ASSERT_RUN(REVIEW "-f hpa.yaml -f scaled.yaml", 0, "2 objects: ");
    ASSERT_RUN(REVIEW "-f hpa.yaml --old hpa.yaml --facts hpa.yaml", 0, "1 object: ");
}

static void test_review__standard_input_and_files_go_together(void **state) {
    (void)state;
    ASSERT_RUN("cat warned.yaml | " REVIEW "-f - -f clean.yaml", 0, "<stdin>\n  1:1 ",
               "3 objects: ");
    ASSERT_RUN(REVIEW "-f- -fothers.yaml -o=yaml <clean.yaml", 0, "kind: MCPServer",
               "kind: ConfigMap");
    ASSERT_RUN(REVIEW "-f - </dev/null", 0, "0 objects: ");
    ASSERT_RUN(REVIEW "-f clean.yaml <&-", 0, "2 objects: ");
    ASSERT_RUN(REVIEW "-f - <&-", 2, "capstan: reading standard input: ");
    ASSERT_RUN(REVIEW "-f - <.", 2, "capstan: reading standard input: ");
    ASSERT_RUN("yes | " REVIEW "-f -", 2, "capstan: standard input is larger than 64 MiB");
}

static const char many[] =
    "# comments are lost\n"
    "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n"
    "- metadata: {name: github, labels: {app.kubernetes.io/name: mcpserver, "
    "app.kubernetes.io/instance: github}}\n  spec: {replicas: 3, template: {spec: {}}}\n"
    "- metadata: {name: web}\n  spec: {template: {spec: {}}}\n"
    "---\napiVersion: v1\nkind: List\nitems:\n"
    "- {apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {\"on\": \"yes\", n: "
    "\"1e3\"}}\n"
    "- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {t: \"a\\nb \\n\", e: \"\"}}\n"
    "---\n---\n"
    "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: d}\n"
    "---\n" SERVER("github", "replicas: 3") "---\n"
                                            "kind: Odd\nbig: 123456789012345678901234567890\n"
                                            "float: 1e400\ntime: 12:30:45\nnothing: ~\n";

/* The kind and name of each object, in the order of the output. */
#define OBJECTS_OF(file)                                                                           \
    REVIEW "-v -o json -f " file " | jq -c '.items[] | [.apiVersion, .kind, .namespace, .name]'"

static void test_review__its_yaml_reviewed_again_changes_nothing_and_loses_nothing(void **state) {
    (void)state;
    write_text("many.yaml", many);
    ASSERT_RUN(REVIEW "-f many.yaml -o yaml >once.yaml", 0, "");
    ASSERT_RUN(REVIEW "-f - -o yaml <once.yaml >again.yaml", 0, "");
    ASSERT_RUN("cmp once.yaml again.yaml", 0, "");
    assert_output(REVIEW "-f once.yaml -o patch", "");
    ASSERT_RUN(REVIEW "-f once.yaml", 0, "3 objects: 0 denied, 0 changed,", "; 4 passed over\n");
    ASSERT_RUN(OBJECTS_OF("many.yaml") " >objects", 0, "");
    ASSERT_RUN("test \"$(wc -l <objects)\" = 7 && " OBJECTS_OF("once.yaml") " | diff objects -", 0,
               "");
    ASSERT_RUN("cat once.yaml", 0, "\n  \"on\": \"yes\"\n", "\nfloat: \"1e400\"\n",
               "\nbig: 123456789012345678901234567890\n");
}

static void test_review__its_yaml_leaves_out_refused_objects_and_says_so(void **state) {
    (void)state;
    ASSERT_RUN(REVIEW "-f warned.yaml -f others.yaml -o yaml --config deny.yaml 2>errors >out", 1,
               "");
    assert_output("cat out", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n");
    ASSERT_RUN("cat errors", 0, "capstan: warned.yaml:1:1: MCPServer default/github is denied: ");
    for (int i = 0; i < 2; i++) {
        ASSERT_RUN(i == 0 ? REVIEW "-f unresolved.yaml -o yaml --config fail.yaml >out"
                          : REVIEW "-f unresolved.yaml -o patch --config fail.yaml >out",
                   1, "capstan: unresolved.yaml:1:1: Deployment default/lost is unresolved: ");
        ASSERT_RUN("test ! -s out", 0, "");
    }
}

static void test_review__news_for_people_is_one_line_on_stderr(void **state) {
    static const char nothing[] = "capstan: nothing to review: no object is in what was given\n";
    (void)state;
    write_text("idle.yaml", POLICY("gracePeriod: {seconds: 60}\n"));
    assert_output(REVIEW "-f clean.yaml --config idle.yaml -o json >/dev/null",
                  "capstan: warning: idle.yaml: gracePeriod.seconds is above 30, but an API server "
                  "has set 30 before admission asks: add minimum: true for it to take effect in a "
                  "cluster\n");
    assert_output(REVIEW "-f clean.yaml --config off.yaml -o json >/dev/null", "");
    assert_int_equal(mkdir("void", 0755), 0);
    assert_output(REVIEW "-f void -o yaml", nothing);
    assert_output(REVIEW "-f empty.yaml >/dev/null", nothing);
    assert_output(REVIEW "-f - </dev/null >/dev/null", nothing);
    assert_output(REVIEW "-f others.yaml >/dev/null", "");
}

static void test_review__the_defaults_are_those_asked_for(void **state) {
    (void)state;
    ASSERT_RUN(REVIEW "-f clean.yaml --fail-on change", 0,
               "note: without the API server's defaults, grace-period: ");
    ASSERT_RUN(REVIEW "-f clean.yaml --defaults none --fail-on change", 1,
               "change   grace-period ");
    ASSERT_RUN(REVIEW "-f others.yaml -f clean.yaml --defaults none -o yaml --config off.yaml "
                      "| grep -c strategy",
               1, "0");
}

static void test_review__recorded_reviews_are_answered_as_the_webhook_does(void **state) {
    static const char recorded[] =
        REVIEW "-f \"$CAPSTAN_TESTS/../manifests/samples/reviews\" "
               "--facts \"$CAPSTAN_TESTS/../manifests/samples/objects\" ";
    char command[512];
    (void)state;
    snprintf(command, sizeof(command),
             "%s-o json | jq -c '.items[] | [.apiVersion, .kind, "
             ".operation, .patch[].value]'",
             recorded);
    assert_output(command, "[\"toolhive.stacklok.dev/v1beta1\",\"MCPServer\",\"CREATE\"]\n"
                           "[\"apps/v1\",\"Deployment\",\"CREATE\",1]\n"
                           "[\"autoscaling/v1\",\"Scale\",\"UPDATE\",1]\n"
                           "[\"apps/v1\",\"Deployment\",\"CREATE\"]\n"
                           "[\"apps/v1\",\"Deployment\",\"UPDATE\",3]\n"
                           "[\"apps/v1\",\"Deployment\",\"CREATE\",30]\n"
                           "[\"apps/v1\",\"Deployment\",\"CREATE\"]\n"
                           "[\"toolhive.stacklok.dev/v1beta1\",\"MCPRemoteProxy\",\"CREATE\"]\n"
                           "[\"autoscaling/v2\",\"HorizontalPodAutoscaler\",\"CREATE\"]\n");
}

static void test_review__each_recorded_review_has_an_answer(void **state) {
    static const char *const operations[] = {"CREATE", "UPDATE", "DELETE", "CONNECT"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        char text[512];
        char command[256];
        char expected[128];
        bool is_deletion = strcmp(operations[i], "DELETE") == 0;
        snprintf(
            text, sizeof(text),
            "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{"
            "\"uid\":\"u\",\"operation\":\"%s\",\"kind\":{\"version\":\"v1\",\"kind\":\"Pod\"},"
            "\"object\":%s}}",
            operations[i], is_deletion ? "null" : "{\"kind\":\"Pod\"}");
        write_text("recorded.json", text);
        snprintf(command, sizeof(command),
                 REVIEW "-f recorded.json -o json | jq -c '.items[] | "
                        "[.kind, .operation, .allowed]'");
        snprintf(expected, sizeof(expected), "[\"Pod\",\"%s\",true]\n", operations[i]);
        assert_output(command, expected);
        assert_output(REVIEW "-f recorded.json -o yaml -f others.yaml | head -n 1",
                      is_deletion ? "apiVersion: v1\n" : "kind: Pod\n");
    }
}

/* Runs a shell command with a terminal for its standard streams. */
static char *run_on_a_terminal(const char *command) {
    int terminal;
    char *output = memory_new(OUTPUT_SIZE, 1);
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    size_t size = 0;
    /* At the end read() returns an error. */
    for (ssize_t n; (n = read(terminal, output + size, OUTPUT_SIZE - 1 - size)) > 0;) {
        size += (size_t)n;
    }
    close(terminal);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return output;
}

static void test_review__there_is_colour_only_on_a_terminal_that_wants_it(void **state) {
    static const struct {
        const char *command;
        bool is_coloured;
    } rows[] = {
        {"unset NO_COLOR; " REVIEW "-f capped.yaml --diff", true},
        {"NO_COLOR= " REVIEW "-f capped.yaml --diff", true},
        {"NO_COLOR=1 " REVIEW "-f capped.yaml --diff", false},
        {"unset NO_COLOR; " REVIEW "-f capped.yaml --diff | cat", false},
        {"unset NO_COLOR; " REVIEW "-f capped.yaml -o yaml", false},
        {"unset NO_COLOR; " REVIEW "-f capped.yaml -o json", false},
        {"unset NO_COLOR; " REVIEW "-f capped.yaml -o github", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *output = run_on_a_terminal(rows[i].command);
        assert_non_null(strstr(output, "github"));
        if ((strchr(output, '\033') != NULL) != rows[i].is_coloured) {
            fail_msg("%s: %s", rows[i].command, output);
        }
    }
    AUTO_FREE char *output = memory_new(OUTPUT_SIZE, 1);
    program_shell(NULL, REVIEW "-f capped.yaml --diff", output, OUTPUT_SIZE);
    assert_null(strchr(output, '\033'));
}

static void test_review__there_is_progress_only_where_someone_looks(void **state) {
    (void)state;
    ASSERT_RUN("for i in $(seq 600); do printf 'kind: A\\n---\\n'; done >a-lot.yaml", 0, "");
    AUTO_FREE char *seen = run_on_a_terminal(REVIEW "-f a-lot.yaml >/dev/null");
    assert_non_null(strstr(seen, "\r\033[Kreviewing ... 500"));
    AUTO_FREE char *mixed = run_on_a_terminal(REVIEW "-f a-lot.yaml");
    assert_null(strstr(mixed, "reviewing"));
    assert_output(REVIEW "-f a-lot.yaml >/dev/null", "");
}

static void test_review__no_name_reaches_a_terminal_as_a_command(void **state) {
    (void)state;
    write_text("evil.yaml",
               "kind: MCPServer\napiVersion: toolhive.stacklok.dev/v1beta1\n"
               "metadata: {name: \"a\\e[31m\\r\\n::error::b\"}\nspec: {replicas: 3}\n");
    ASSERT_RUN(REVIEW "-f evil.yaml -v >out 2>&1 && ! grep -q $(printf '\\033') out", 0, "");
    ASSERT_RUN(REVIEW "-f evil.yaml -o github >out && ! grep -q '^::error::b' out", 0, "");
    ASSERT_RUN("printf 'kind: \\033[31m{{' >evil2.yaml; " REVIEW
               "-f evil2.yaml >out 2>&1; test $? = 2 && ! grep -q $(printf '\\033') out",
               0, "");
    /* The texts on stderr, and a path in them: C0, C1, and characters that reverse the writing
       direction. */
    ASSERT_RUN("evil=$(printf 'e\\033[31m\\n::error::f\\302\\233\\342\\200\\256.yaml'); "
               "cp evil.yaml \"$evil\"; echo 'a: [' >\"$evil.yaml\"; for arguments in "
               "'-o yaml --config deny.yaml' '-o patch --config deny.yaml' '--facts missing'; do "
               "for file in \"$evil\" \"$evil.yaml\" \"$evil.no\"; do " REVIEW
               "-f \"$file\" $arguments >out 2>>errors && exit 3; done; done; cat errors; "
               "! LC_ALL=C grep "
               "\"$(printf '\\033\\|^::\\|\\302\\233\\|\\342\\200\\256')\" errors",
               0,
               "capstan: e?[31m?::error::f??.yaml:1:1: MCPServer default/a?[31m??::error::b is "
               "denied: ",
               "capstan: e?[31m?::error::f??.yaml.yaml:2:1: ",
               "capstan: looking at 'e?[31m?::error::f??.yaml.no': ");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_review__the_exit_status_is_the_same_for_every_output),
        TEST(test_review__unusable_input_is_one_line_on_stderr_and_status_2),
        TEST(test_review__what_cannot_be_written_is_an_error),
        TEST(test_review__the_verdicts_are_those_of_the_policy),
        TEST(test_review__facts_name_the_server_of_a_deployment),
        TEST(test_review__a_deployment_of_an_unknown_owner_is_unresolved),
        TEST(test_review__old_makes_an_update_of_it),
        TEST(test_review__an_object_that_is_there_twice_is_refused_with_its_place),
        TEST(test_review__an_autoscaler_that_is_there_twice_is_refused),
        TEST(test_review__standard_input_and_files_go_together),
        TEST(test_review__its_yaml_reviewed_again_changes_nothing_and_loses_nothing),
        TEST(test_review__its_yaml_leaves_out_refused_objects_and_says_so),
        TEST(test_review__news_for_people_is_one_line_on_stderr),
        TEST(test_review__the_defaults_are_those_asked_for),
        TEST(test_review__recorded_reviews_are_answered_as_the_webhook_does),
        TEST(test_review__each_recorded_review_has_an_answer),
        TEST(test_review__there_is_colour_only_on_a_terminal_that_wants_it),
        TEST(test_review__there_is_progress_only_where_someone_looks),
        TEST(test_review__no_name_reaches_a_terminal_as_a_command),
    };
    return cmocka_run_group_tests_name("wire/review", tests, NULL, NULL);
}
