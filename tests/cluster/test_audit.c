// SPDX-License-Identifier: Apache-2.0

/*
 * `capstan audit`: what is in the cluster, judged as if it were submitted again. It only reads.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cluster/cluster.h"
#include "core/facts/kind.h"
#include "edge/clock.h"

enum {
    OUTPUT_SIZE = 64 * 1024,
    MANY = 1000,
    LIMIT_MS = 1000,
    WHOLE_LIMIT_MS = 3000,
    DEPLOYMENT_SIZE = 8192,
    PAGE_MAX = 64 << 20
};

static void put(const struct cluster *cluster, enum fake_kind kind, const char *api_version,
                const char *namespace, const char *name, const char *metadata, const char *spec) {
    static const char *const kinds[FAKE_KIND_COUNT] = {
        [FAKE_SERVER] = "MCPServer",
        [FAKE_PROXY] = "MCPRemoteProxy",
        [FAKE_VIRTUAL] = "VirtualMCPServer",
        [FAKE_DEPLOYMENT] = "Deployment",
        [FAKE_HPA] = "HorizontalPodAutoscaler",
    };
    AUTO_FREE char *json = memory_format(
        "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\","
        "\"managedFields\":[{\"manager\":\"x\"}]%s},\"spec\":%s}",
        api_version, kinds[kind], namespace, name, metadata, spec);
    fake_put(cluster->api, kind, json);
}

#define TOOLHIVE "toolhive.stacklok.dev/v1beta1"
#define STDIO(n) "{\"transport\":\"stdio\",\"replicas\":" n "}"
#define SSE(n)   "{\"transport\":\"sse\",\"replicas\":" n "}"
/* The fake API server lists no Deployment without the label. It makes nothing the family's. */
#define LABEL ",\"labels\":{\"app.kubernetes.io/name\":\"mcpserver\"}"
#define OWNER_OF(kind, name, uid)                                                                  \
    LABEL ",\"ownerReferences\":[{\"apiVersion\":\"" TOOLHIVE "\",\"kind\":" kind ","              \
          "\"name\":\"" name "\",\"uid\":\"" uid "\",\"controller\":true}]"
#define OWNER(name) OWNER_OF("\"MCPServer\"", name, "m-" name)
#define UID(name)   ",\"uid\":\"m-" name "\""
#define PODS(n)                                                                                    \
    "{\"replicas\":" n ",\"template\":{\"spec\":{\"containers\":[],"                               \
    "\"terminationGracePeriodSeconds\":30}}}"

/* Two namespaces with findings of several rules, an object that is being deleted, and a Deployment
   and an autoscaler of nobody. */
static void fill(const struct cluster *cluster) {
    put(cluster, FAKE_SERVER, TOOLHIVE, "prod", "capped", UID("capped"), STDIO("3"));
    put(cluster, FAKE_DEPLOYMENT, "apps/v1", "prod", "capped", OWNER("capped"), PODS("2"));
    put(cluster, FAKE_SERVER, TOOLHIVE, "prod", "quiet", UID("quiet"), STDIO("1"));
    put(cluster, FAKE_SERVER, TOOLHIVE, "prod", "leaving",
        UID("leaving") ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\",\"finalizers\":[\"a/b\"]",
        STDIO("5"));
    put(cluster, FAKE_DEPLOYMENT, "apps/v1", "prod", "unrelated", LABEL, PODS("9"));
    put(cluster, FAKE_SERVER, TOOLHIVE, "dev", "sessions", UID("sessions"), SSE("4"));
    put(cluster, FAKE_HPA, "autoscaling/v1", "prod", "scaler", "",
        "{\"maxReplicas\":5,\"scaleTargetRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\","
        "\"name\":\"capped\"}}");
    put(cluster, FAKE_HPA, "autoscaling/v1", "prod", "foreign", "",
        "{\"maxReplicas\":5,\"scaleTargetRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\","
        "\"name\":\"unrelated\"}}");
}

static void assert_only_reads(const struct cluster *cluster) {
    static const char *const verbs[] = {"POST", "PUT", "PATCH", "DELETE", "OTHER", "WATCH"};
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        cluster_assert_count(cluster, verbs[i], NULL, 0);
    }
}

/* Each test ends with it. The teardown wants a program that runs. */
static void finish(struct cluster *cluster) {
    assert_only_reads(cluster);
    cluster_start(cluster);
}

/* Runs `capstan audit` with more arguments, and perhaps a pipe. */
static int audit(const struct cluster *cluster, const char *arguments, char output[OUTPUT_SIZE]) {
    AUTO_FREE char *command =
        memory_format("cd $FOLDER && \"$CAPSTAN\" audit --kubeconfig kubeconfig %s", arguments);
    return program_shell(&cluster->program, command, output, OUTPUT_SIZE);
}

static void assert_shows(const char *output, const char *words) {
    if (strstr(output, words) == NULL) {
        fail_msg("'%s' is not in:\n%s", words, output);
    }
}

#define FINDINGS                                                                                   \
    " -o json | jq -c '.items[] | [.file, .operation, .allowed, (.findings[] | .rule, .change)]'"

static void test_audit__judges_the_family_its_deployments_and_their_autoscalers(void **state) {
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    (void)audit(cluster, FINDINGS, output);
    assert_string_equal(
        output,
        "[\"dev/mcpservers/sessions\",\"CREATE\",true,\"session-storage\",false]\n"
        "[\"prod/mcpservers/capped\",\"CREATE\",true,\"stdio-cap\",false,\"session-storage\","
        "false]\n"
        "[\"prod/mcpservers/quiet\",\"CREATE\",true]\n"
        "[\"prod/deployments/capped\",\"UPDATE\",true,\"stdio-cap\",true]\n"
        "[\"prod/horizontalpodautoscalers/scaler\",\"CREATE\",true,\"autoscaler\",false]\n");
    (void)audit(cluster, "-o json | jq -c '.summary.passedOver, .namespaces'", output);
    assert_string_equal(
        output, "1\n[{\"namespace\":\"dev\",\"objects\":1,\"findings\":{\"session-storage\":1}},"
                "{\"namespace\":\"prod\",\"objects\":4,\"findings\":{\"stdio-cap\":2,"
                "\"session-storage\":1,\"autoscaler\":1}}]\n");
    finish(cluster);
}

#define WHAT "'.items[] | select(.name != \"leaving\") | [.kind, .name, .findings, .patch]'"

static void test_audit__finds_what_review_finds(void **state) {
    struct cluster *cluster = *state;
    char reviewed[OUTPUT_SIZE];
    char audited[OUTPUT_SIZE];
    fill(cluster);
    /* No rule changes anything under this policy: the form yaml has the objects as they are stored.
     */
    program_put(&cluster->program, "warn.yaml",
                "apiVersion: capstan.dev/v1\nkind: PolicyConfig\nstdioCap: {mode: warn}\n");
    (void)audit(cluster, "--config warn.yaml -o yaml >objects.yaml", audited);
    (void)audit(cluster, "--config warn.yaml -o json | jq -c " WHAT, audited);
    (void)program_shell(&cluster->program,
                        "cd $FOLDER && \"$CAPSTAN\" review -f objects.yaml --old objects.yaml "
                        "--config warn.yaml -o json | jq -c " WHAT,
                        reviewed, sizeof(reviewed));
    assert_shows(audited, "\"rule\":\"autoscaler\"");
    assert_string_equal(audited, reviewed);
    finish(cluster);
}

static void test_audit__every_form_is_about_a_cluster(void **state) {
    static const struct {
        const char *arguments;
        const char *words;
    } rows[] = {
        {"", "prod\n  warning  stdio-cap            MCPServer prod/capped  "},
        {"", "namespace                objects  stdio-cap  session-storage  autoscaler\n"},
        {"", "prod                           4          2                1           1\n"},
        {"-v", "passed over  MCPServer prod/leaving"},
        {"--diff", "-  replicas: 2\n"},
        {"--explain", "MCPServer prod/capped (this object): stdio"},
        {"-o yaml", "kind: Deployment"},
        {"-o patch", "\"file\":\"prod/deployments/capped\",\"line\":1"},
        {"-o github", "::warning title=stdio-cap::MCPServer prod/capped: "},
        {"-o sarif", "\"uri\":\"prod/mcpservers/capped\""},
        {"-o junit", "<testsuite name=\"prod\" tests=\"4\""},
    };
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status = audit(cluster, rows[i].arguments, output);
        assert_shows(output, rows[i].words);
        assert_int_equal(status, 0);
        assert_null(strstr(output, "managedFields"));
        assert_null(strstr(output, "unrelated"));
    }
    finish(cluster);
}

static void test_audit__exit_statuses(void **state) {
    static const struct {
        const char *arguments;
        int status;
        const char *words;
    } rows[] = {
        {"", 0, "0 denied"},
        {"--namespace dev --fail-on change", 0, "1 object:"},
        {"--fail-on change", 1, "1 changed"},
        {"--namespace dev --fail-on warning", 1, "1 warned"},
        {"--config deny.yaml", 1, "denied   stdio-cap            MCPServer prod/capped"},
        {"--config missing.yaml", 2, "missing.yaml"},
        {"--namespace Not_A_Name", 2, "--namespace"},
        {"--kubeconfig missing", 2, "missing"},
    };
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    program_put(&cluster->program, "deny.yaml",
                "apiVersion: capstan.dev/v1\nkind: PolicyConfig\nstdioCap: {mode: deny}\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status = audit(cluster, rows[i].arguments, output);
        assert_shows(output, rows[i].words);
        assert_int_equal(status, rows[i].status);
    }
    finish(cluster);
}

static void test_audit__namespaces_are_listed_alone_and_once(void **state) {
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    assert_int_equal(audit(cluster, "-n dev --namespace dev", output), 0);
    assert_shows(output, "1 object: ");
    cluster_assert_count(cluster, "LIST", "/namespaces/dev/mcpservers?", 1);
    cluster_assert_count(cluster, "LIST", "v1beta1/mcpservers", 0);
    finish(cluster);
}

static void put_many(const struct cluster *cluster) {
    for (int i = 0; i < MANY; i++) {
        AUTO_FREE char *name = memory_format("m%04d", i);
        AUTO_FREE char *uid = memory_format(",\"uid\":\"m-%s\"", name);
        put(cluster, FAKE_SERVER, TOOLHIVE, "default", name, uid, STDIO("2"));
    }
}

static void test_audit__reads_a_thousand_objects_by_pages_within_a_second(void **state) {
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    int64_t best_ms = INT64_MAX;
    put_many(cluster);
    for (int i = 0; i < 3; i++) {
        int64_t began_ms = clock_boot_ms();
        assert_int_equal(audit(cluster, "| tail -n 1", output), 0);
        best_ms = MIN(best_ms, clock_boot_ms() - began_ms);
        assert_shows(output, "1000 objects: 0 denied, 0 changed, 1000 warned");
    }
    cluster_assert_count(cluster, "LIST", "/mcpservers?limit=500&continue=", 3);
    printf("1,000 objects: %lld ms\n", (long long)best_ms);
    assert_true(program_is_sanitized() || best_ms < LIMIT_MS);
    finish(cluster);
}

static void test_audit__three_objects_of_one_name_have_one_deployment(void **state) {
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    put(cluster, FAKE_SERVER, TOOLHIVE, "prod", "same", UID("same"), STDIO("3"));
    put(cluster, FAKE_PROXY, TOOLHIVE, "prod", "same", ",\"uid\":\"p-same\"", "{\"replicas\":2}");
    put(cluster, FAKE_VIRTUAL, TOOLHIVE, "prod", "same", ",\"uid\":\"v-same\"", "{\"replicas\":5}");
    /* The operator wanted 5, and an autoscaler made it 7. */
    put(cluster, FAKE_DEPLOYMENT, "apps/v1", "prod", "same",
        OWNER_OF("\"VirtualMCPServer\"", "same", "v-same"), PODS("7"));
    put(cluster, FAKE_DEPLOYMENT, "apps/v1", "prod", "of-a-stranger",
        OWNER_OF("\"VirtualMCPServer\"", "gone", "v-gone"), PODS("7"));
    assert_int_equal(audit(cluster, FINDINGS, output), 0);
    assert_string_equal(
        output, "[\"prod/mcpservers/same\",\"CREATE\",true,\"stdio-cap\",false,"
                "\"session-storage\",false]\n"
                "[\"prod/mcpremoteproxies/same\",\"CREATE\",true,\"session-storage\",false]\n"
                "[\"prod/virtualmcpservers/same\",\"CREATE\",true,\"session-storage\",false]\n"
                "[\"prod/deployments/of-a-stranger\",\"UPDATE\",true]\n"
                "[\"prod/deployments/same\",\"UPDATE\",true]\n");
    finish(cluster);
}

#define ITEM(name, target, maximum)                                                                \
    "{\"metadata\":{\"namespace\":\"prod\",\"name\":\"" name                                       \
    "\"},\"spec\":{\"scaleTargetRef\":{" target "\"name\":\"capped\"}," maximum "}}"
#define AUTOSCALERS(items)                                                                         \
    "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":" \
    "[" items "]}"

/* The fake API server has HPAs of version 1 alone, and no KEDA: these answers stand in. */
static void test_audit__autoscalers_are_of_two_kinds_and_any_version(void **state) {
    static const char group[] =
        "{\"kind\":\"APIGroup\",\"name\":\"keda.sh\",\"versions\":[{\"groupVersion\":"
        "\"keda.sh/v1alpha1\",\"version\":\"v1alpha1\"}],\"preferredVersion\":{\"groupVersion\":"
        "\"keda.sh/v1alpha1\",\"version\":\"v1alpha1\"}}";
    static const char hpas[] =
        AUTOSCALERS(ITEM("two", "\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",",
                         "\"maxReplicas\":9") "," ITEM("set",
                                                       "\"apiVersion\":\"apps/v1\",\"kind\":"
                                                       "\"StatefulSet\",",
                                                       "\"maxReplicas\":9"));
    static const char scaled_objects[] =
        AUTOSCALERS(ITEM("kedas", "", "\"maxReplicaCount\":4") "," ITEM("hundred", "", "\"x\":1"));
    static const struct fake_fault answers[] = {
        {.path = "/apis/autoscaling/v2/horizontalpodautoscalers?", .status = 200, .body = hpas},
        {.path = "/apis/keda.sh/v1alpha1/scaledobjects?", .status = 200, .body = scaled_objects},
        {.path = "/apis/keda.sh", .status = 200, .body = group},
    };
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        fake_inject(cluster->api, &answers[i]);
    }
    assert_int_equal(
        audit(cluster,
              "-o json | jq -c '.items[] | select(.findings[].rule == \"autoscaler\") | "
              "[.apiVersion, .kind, .name]'",
              output),
        0);
    assert_string_equal(output, "[\"autoscaling/v2\",\"HorizontalPodAutoscaler\",\"two\"]\n"
                                "[\"keda.sh/v1alpha1\",\"ScaledObject\",\"hundred\"]\n"
                                "[\"keda.sh/v1alpha1\",\"ScaledObject\",\"kedas\"]\n");
    (void)audit(cluster, "-v", output);
    assert_null(strstr(output, "prod/set"));
    fake_heal(cluster->api);
    finish(cluster);
}

static void test_audit__an_owner_that_cannot_be_read_is_unresolved(void **state) {
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    put(cluster, FAKE_SERVER, TOOLHIVE, "prod", "odd", UID("odd"), STDIO("1"));
    put(cluster, FAKE_DEPLOYMENT, "apps/v1", "prod", "odd", OWNER_OF("7", "odd", "m-odd"),
        PODS("2"));
    put(cluster, FAKE_HPA, "autoscaling/v1", "prod", "odd", "",
        "{\"maxReplicas\":5,\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"odd\"}}");
    program_put(&cluster->program, "fail.yaml",
                "apiVersion: capstan.dev/v1\nkind: PolicyConfig\nonUnresolved: fail\n");
    assert_int_equal(audit(cluster, "", output), 0);
    assert_shows(output, "unresolved           Deployment prod/odd");
    assert_shows(output, "autoscaler           HorizontalPodAutoscaler prod/odd");
    assert_int_equal(audit(cluster, "--config fail.yaml", output), 1);
    finish(cluster);
}

static void test_audit__a_cluster_without_toolhive_has_nothing_to_audit(void **state) {
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fake_set_versions(cluster->api, "");
    put(cluster, FAKE_DEPLOYMENT, "apps/v1", "prod", "unrelated", LABEL, PODS("9"));
    assert_int_equal(audit(cluster, "2>&1 >report", output), 0);
    assert_string_equal(output,
                        "capstan: there is nothing to audit: the cluster has no CRD of the API "
                        "group toolhive.stacklok.dev\n");
    fake_set_versions(cluster->api, "v1beta1");
    assert_int_equal(audit(cluster, "2>&1 >report", output), 0);
    assert_string_equal(output, "");
    finish(cluster);
}

/* The Deployments are as large as those of the operator. */
static void put_whole_cluster(const struct cluster *cluster) {
    AUTO_FREE char *padding = memory_new(1, DEPLOYMENT_SIZE + 1);
    memset(padding, 'x', DEPLOYMENT_SIZE);
    put_many(cluster);
    for (int i = 0; i < MANY; i++) {
        AUTO_FREE char *name = memory_format("m%04d", i);
        AUTO_FREE char *owner = memory_format(
            LABEL
            ",\"ownerReferences\":[{\"apiVersion\":\"" TOOLHIVE
            "\",\"kind\":\"MCPServer\",\"name\":\"%s\",\"uid\":\"m-%s\",\"controller\":true}],"
            "\"annotations\":{\"padding\":\"%s\"}",
            name, name, padding);
        AUTO_FREE char *spec = memory_format(
            "{\"maxReplicas\":5,\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"%s\"}}",
            name);
        put(cluster, FAKE_DEPLOYMENT, "apps/v1", "default", name, owner, PODS("1"));
        put(cluster, FAKE_HPA, "autoscaling/v1", "default", name, "", spec);
    }
}

static void test_audit__a_thousand_servers_with_all_of_theirs_take_a_second(void **state) {
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    int64_t best_ms = INT64_MAX;
    put_whole_cluster(cluster);
    for (int i = 0; i < 3; i++) {
        int64_t began_ms = clock_boot_ms();
        assert_int_equal(audit(cluster, "| tail -n 1", output), 0);
        best_ms = MIN(best_ms, clock_boot_ms() - began_ms);
        assert_shows(output, "3000 objects: 0 denied, ");
    }
    printf("3,000 objects: %lld ms\n", (long long)best_ms);
    assert_true(program_is_sanitized() || best_ms < WHOLE_LIMIT_MS);
    finish(cluster);
}

/* script(1) gives the program a terminal. */
static void test_audit__a_terminal_shows_how_far_it_is_and_keeps_nothing_of_it(void **state) {
    static const char *const steps[] = {"\r\033[Klisting deployments ... 0",
                                        "\r\033[Klisting mcpservers ... 500",
                                        "\r\033[Klisting mcpservers ... 1000",
                                        "\r\033[Kauditing ... 500", "\r\033[Kauditing ... 1000"};
    static const char end[] = "\r\033[K";
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    const char *at = output;
    put_many(cluster);
    int status = program_shell(
        &cluster->program,
        "cd $FOLDER && script -qec '\"$CAPSTAN\" audit --kubeconfig kubeconfig >report' /dev/null "
        "</dev/null && test \"$(grep -c ' \\.\\.\\. ' report)\" = 0",
        output, OUTPUT_SIZE);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        assert_shows(at, steps[i]);
        at = strstr(at, steps[i]);
    }
    assert_string_equal(output + strlen(output) - strlen(end), end);
    assert_int_equal(status, 0);
    assert_int_equal(audit(cluster, ">report", output), 0);
    assert_string_equal(output, "");
    finish(cluster);
}

static void test_audit__begins_a_list_again_if_its_token_expires(void **state) {
    const struct fake_fault fault = {
        .verb = "LIST", .path = "/mcpservers?limit=500&continue", .times = 1, .status = 410};
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    put_many(cluster);
    fake_inject(cluster->api, &fault);
    assert_int_equal(audit(cluster, "| tail -n 1", output), 0);
    assert_shows(output, "1000 objects: 0 denied, 0 changed, 1000 warned");
    cluster_assert_count(cluster, "LIST", "/mcpservers?limit=500", 4);
    fake_heal(cluster->api);
    finish(cluster);
}

static void test_audit__asks_again_after_a_fault_that_passes(void **state) {
    static const struct {
        struct fake_fault fault;
        size_t n_lists;
        int status;
    } rows[] = {
        {{.status = 429, .headers = "Retry-After: 1\r\n", .times = 1}, 2, 0},
        {{.status = 429, .headers = "Retry-After: 11\r\n", .times = 1}, 1, 2},
        {{.status = 500, .times = 3}, 4, 0},
        {{.status = 503, .times = 4}, 4, 2},
        {{.kind = FAKE_RESET, .times = 1}, 2, 0},
        {{.kind = FAKE_CUT, .n_bytes = 40, .times = 1}, 2, 0},
        {{.kind = FAKE_CUT, .n_bytes = 40}, 4, 2},
    };
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fake_fault fault = rows[i].fault;
        fault.verb = "LIST";
        fault.path = "/mcpservers?";
        assert_only_reads(cluster);
        fake_forget(cluster->api);
        fake_inject(cluster->api, &fault);
        assert_int_equal(audit(cluster, "", output), rows[i].status);
        cluster_assert_count(cluster, "LIST", "/mcpservers?", rows[i].n_lists);
        fake_heal(cluster->api);
    }
    finish(cluster);
}

static void test_audit__keeps_to_a_retry_after(void **state) {
    const struct fake_fault fault = {.verb = "LIST",
                                     .path = "/deployments?",
                                     .status = 429,
                                     .headers = "Retry-After: 2\r\n",
                                     .times = 1};
    struct fake_request first;
    struct fake_request second;
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fake_inject(cluster->api, &fault);
    assert_int_equal(audit(cluster, "", output), 0);
    assert_true(fake_find(cluster->api, "LIST", "/deployments?", 0, &first));
    assert_true(fake_find(cluster->api, "LIST", "/deployments?", 1, &second));
    assert_true(second.at_ms - first.at_ms >= 2000);
    fake_heal(cluster->api);
    finish(cluster);
}

static void test_audit__asks_for_smaller_pages_down_to_one_object(void **state) {
    static const struct {
        const char *path; /* of the pages that are over the limit of 64 MiB */
        int status;
        size_t n_lists;
    } rows[] = {
        {"/mcpservers?limit=500", 0, 2},
        {"/mcpservers?limit=", 2, 4},
    };
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    AUTO_FREE char *body = memory_new(1, PAGE_MAX + 2);
    memset(body, ' ', PAGE_MAX + 1);
    fill(cluster);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct fake_fault fault = {
            .verb = "LIST", .path = rows[i].path, .status = 200, .body = body};
        assert_only_reads(cluster);
        fake_forget(cluster->api);
        fake_inject(cluster->api, &fault);
        assert_int_equal(audit(cluster, "-v", output), rows[i].status);
        cluster_assert_count(cluster, "LIST", "/mcpservers?limit=62", 1);
        cluster_assert_count(cluster, "LIST", "/mcpservers?", rows[i].n_lists);
        assert_shows(output, rows[i].status == 0 ? "MCPServer prod/capped"
                                                 : "capstan: mcpservers could not be listed");
        fake_heal(cluster->api);
    }
    cluster_assert_count(cluster, "LIST", "/mcpservers?limit=1", 1);
    finish(cluster);
}

/* Each fault leaves the rest judged, and is status 2. */
static void test_audit__a_list_that_fails_is_named_and_is_never_well(void **state) {
    static const struct {
        struct fake_fault fault;
        const char *words;
        const char *judged;
    } rows[] = {
        {{.verb = "LIST", .path = "/deployments?", .status = 403},
         "capstan: deployments of namespace prod could not be listed",
         "MCPServer prod/capped"},
        {{.verb = "LIST", .path = "/deployments?", .status = 403},
         "grant the right to list deployments in the API group apps",
         "MCPServer prod/capped"},
        {{.verb = "LIST", .path = "/mcpservers?", .status = 500},
         "capstan: mcpservers of namespace prod could not be listed",
         "unresolved           Deployment prod/capped"},
        {{.verb = "LIST", .path = "/mcpservers?", .status = 403},
         "capstan: without the list of mcpservers, Capstan cannot tell whose some Deployments are",
         "unresolved           Deployment prod/capped"},
        {{.verb = "LIST", .path = "/deployments?", .status = 403},
         "capstan: without the list of deployments, no Deployment is judged",
         "autoscaler           HorizontalPodAutoscaler prod/scaler"},
        {{.verb = "LIST", .path = "/horizontalpodautoscalers?", .status = 403},
         "capstan: without the list of horizontalpodautoscalers, no autoscaler of this kind",
         "MCPServer prod/capped"},
        {{.verb = "LIST", .path = "/mcpservers?", .status = 410},
         "capstan: mcpservers of namespace prod could not be listed",
         "unresolved           Deployment prod/capped"},
        {{.verb = "LIST", .path = "/mcpservers?", .status = 200, .body = "{}"},
         "capstan: mcpservers of namespace prod could not be listed",
         "unresolved           Deployment prod/capped"},
    };
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fake_inject(cluster->api, &rows[i].fault);
        int status = audit(cluster, "-n prod", output);
        fake_heal(cluster->api);
        assert_shows(output, rows[i].words);
        assert_shows(output, rows[i].judged);
        assert_int_equal(status, 2);
    }
    finish(cluster);
}

/* An autoscaler whose owner is in no list must not pass for one that is right. */
static void test_audit__no_autoscaler_is_judged_without_its_owner(void **state) {
    static const struct fake_fault fault = {.verb = "LIST", .path = "/mcpservers?", .status = 403};
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    assert_int_equal(audit(cluster, "-n prod -v", output), 0);
    assert_shows(output, "HorizontalPodAutoscaler prod/scaler");
    fake_inject(cluster->api, &fault);
    assert_int_equal(audit(cluster, "-n prod -v", output), 2);
    fake_heal(cluster->api);
    assert_null(strstr(output, "HorizontalPodAutoscaler"));
    finish(cluster);
}

static void test_audit__no_connection_is_one_line(void **state) {
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fake_go_away(cluster->api);
    assert_int_equal(audit(cluster, "", output), 2);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    fake_come_back(cluster->api);
    finish(cluster);
}

#define PAGE "\"$CAPSTAN_TESTS\"/../docs/audit.md"

/* The last one asks the cluster of its pod, which is none here. */
static void test_audit__each_command_of_its_page_works(void **state) {
    static const struct {
        int status;
        const char *words;
    } rows[] = {
        {0, "5 objects: 0 denied, 1 changed"},
        {1, "5 objects: 0 denied, 1 changed"},
        {0, "\"namespace\": \"dev\""},
    };
    struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    fill(cluster);
    program_put(&cluster->program, "new.yaml",
                "apiVersion: capstan.dev/v1\nkind: PolicyConfig\nstdioCap: {mode: enforce}\n");
    (void)program_shell(&cluster->program,
                        "cd $FOLDER && mkdir .kube bin && cp kubeconfig .kube/config && "
                        "ln -s \"$CAPSTAN\" bin/capstan && "
                        "sed -n '/^```sh$/,/^```$/s/^capstan/&/p' " PAGE
                        " >commands; wc -l <commands",
                        output, OUTPUT_SIZE);
    assert_int_equal(strtol(output, NULL, 10), COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *command =
            memory_format("cd $FOLDER && export HOME=$PWD PATH=$PWD/bin:$PATH && "
                          "sed '%dq;d' commands | sed 's/^capstan audit -n/capstan audit "
                          "--kubeconfig kubeconfig -n/' "
                          ">command && . ./command",
                          (int)i + 1);
        int status = program_shell(&cluster->program, command, output, OUTPUT_SIZE);
        assert_shows(output, rows[i].words);
        assert_int_equal(status, rows[i].status);
    }
    finish(cluster);
}

static void test_audit__the_role_of_its_page_lets_it_list_all_kinds(void **state) {
    struct cluster *cluster = *state;
    char role[OUTPUT_SIZE];
    (void)program_shell(&cluster->program, "sed -n '/^```yaml$/,/^```$/p' " PAGE, role,
                        OUTPUT_SIZE);
    for (int kind = OBJECT_FAMILY_FIRST; kind < OBJECT_KIND_COUNT; kind++) {
        AUTO_FREE char *group = memory_format("- apiGroups: [%s]\n", kind_rows[kind].group);
        if (kind != OBJECT_SCALE) {
            assert_shows(role, group);
            assert_shows(strstr(role, group), kind_rows[kind].plural);
        }
    }
    finish(cluster);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_audit__judges_the_family_its_deployments_and_their_autoscalers),
        TEST(test_audit__finds_what_review_finds),
        TEST(test_audit__every_form_is_about_a_cluster),
        TEST(test_audit__exit_statuses),
        TEST(test_audit__namespaces_are_listed_alone_and_once),
        TEST(test_audit__reads_a_thousand_objects_by_pages_within_a_second),
        TEST(test_audit__three_objects_of_one_name_have_one_deployment),
        TEST(test_audit__autoscalers_are_of_two_kinds_and_any_version),
        TEST(test_audit__an_owner_that_cannot_be_read_is_unresolved),
        TEST(test_audit__a_cluster_without_toolhive_has_nothing_to_audit),
        TEST(test_audit__a_thousand_servers_with_all_of_theirs_take_a_second),
        TEST(test_audit__a_terminal_shows_how_far_it_is_and_keeps_nothing_of_it),
        TEST(test_audit__begins_a_list_again_if_its_token_expires),
        TEST(test_audit__asks_again_after_a_fault_that_passes),
        TEST(test_audit__keeps_to_a_retry_after),
        TEST(test_audit__asks_for_smaller_pages_down_to_one_object),
        TEST(test_audit__a_list_that_fails_is_named_and_is_never_well),
        TEST(test_audit__no_autoscaler_is_judged_without_its_owner),
        TEST(test_audit__no_connection_is_one_line),
        TEST(test_audit__each_command_of_its_page_works),
        TEST(test_audit__the_role_of_its_page_lets_it_list_all_kinds),
    };
    return cmocka_run_group_tests_name("cluster/audit", tests, NULL, NULL);
}
