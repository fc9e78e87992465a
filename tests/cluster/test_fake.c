// SPDX-License-Identifier: Apache-2.0

/*
 * The fake API server itself: it does what the other tests rely on.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge/http/http_client.h"
#include "fake_api.h"

enum { OUTPUT_SIZE = 64 * 1024 };

#define TOOLHIVE "/apis/toolhive.stacklok.dev/v1beta1"
#define ONE      TOOLHIVE "/namespaces/team/mcpservers/one"

static int set_up(void **state) {
    *state = fake_new();
    return 0;
}

static int tear_down(void **state) {
    fake_free(*state);
    return 0;
}

static void put(struct fake_api *api, const char *name, int replicas) {
    char json[256];
    snprintf(json, sizeof(json),
             "{\"metadata\":{\"namespace\":\"team\",\"name\":\"%s\"},\"spec\":{\"replicas\":%d}}",
             name, replicas);
    fake_put(api, FAKE_SERVER, json);
}

/* The output of curl: the body, then the status on a line of its own. */
static void curl(struct fake_api *api, const char *arguments, char out[OUTPUT_SIZE]) {
    char command[2048];
    snprintf(command, sizeof(command),
             "curl -s --max-time 5 -w '\\n%%{http_code}' -g \"http://127.0.0.1:%u\"%s",
             fake_port(api), arguments);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    out[fread(out, 1, OUTPUT_SIZE - 1, pipe)] = '\0';
    pclose(pipe);
}

static void assert_has(const char *text, const char *part) {
    if (strstr(text, part) == NULL) {
        fail_msg("there is no '%s' in %s", part, text);
    }
}

static void test_fake__pages_are_joined_by_a_token(void **state) {
    char out[OUTPUT_SIZE];
    put(*state, "b", 1);
    put(*state, "a", 1);
    put(*state, "c", 1);
    curl(*state, TOOLHIVE "/mcpservers?limit=2", out);
    assert_has(out, "\"resourceVersion\":\"103\",\"continue\":\"103+team/b==\"");
    assert_has(out, "\"remainingItemCount\":1");
    assert_null(strstr(out, "\"name\":\"c\""));
    curl(*state, TOOLHIVE "/mcpservers?limit=2'&continue=103%2Bteam%2Fb%3D%3D'", out);
    assert_has(out, "\"name\":\"c\"");
    assert_null(strstr(out, "continue"));
    curl(*state, TOOLHIVE "/mcpservers?limit=2'&resourceVersion=0'", out);
    assert_has(out, "\"name\":\"c\"");
    fake_compact(*state);
    put(*state, "d", 1);
    fake_compact(*state);
    curl(*state, TOOLHIVE "/mcpservers?limit=2'&continue=103%2Bteam%2Fb%3D%3D'", out);
    assert_has(out, "\n410");
    curl(*state, TOOLHIVE "/mcpservers?resourceVersion=999", out);
    assert_has(out, "\n504");
}

static void test_fake__a_watch_reports_the_changes_since(void **state) {
    char out[OUTPUT_SIZE];
    put(*state, "a", 1);
    put(*state, "a", 2);
    fake_remove(*state, FAKE_SERVER, "team", "a");
    curl(*state, TOOLHIVE "/mcpservers?watch=1'&resourceVersion=101&timeoutSeconds=0'", out);
    assert_has(out, "{\"type\":\"MODIFIED\"");
    assert_has(out, "\"generation\":2,\"resourceVersion\":\"102\"");
    assert_has(out, "{\"type\":\"DELETED\"");
    assert_has(out, "\"resourceVersion\":\"103\"");
    assert_null(strstr(out, "ADDED"));
    fake_compact(*state);
    curl(*state, TOOLHIVE "/mcpservers?watch=1'&resourceVersion=101&timeoutSeconds=0'", out);
    assert_has(out, "\"code\":410}}\n\n200");
    assert_int_equal(fake_count(*state, "WATCH", "mcpservers"), 2);
}

static void test_fake__apply_writes_only_differences(void **state) {
    static const char apply[] =
        ONE "/status?fieldManager=capstan'&force=true' -X PATCH -H 'Content-Type: "
            "application/apply-patch+yaml' -d '{\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\","
            "\"kind\":\"MCPServer\",\"metadata\":{\"name\":\"one\"},\"status\":{\"conditions\":["
            "{\"type\":\"A\",\"status\":\"True\",\"reason\":\"R\",\"message\":\"m\","
            "\"lastTransitionTime\":\"2026-01-02T03:04:05Z\"}]}}'";
    char out[OUTPUT_SIZE];
    curl(*state, apply, out);
    assert_has(out, "\n404");
    put(*state, "one", 1);
    fake_put_status(*state, FAKE_SERVER, "team", "one", "{\"conditions\":[{\"type\":\"B\"}]}");
    curl(*state, apply, out);
    assert_has(out, "[{\"type\":\"B\"},{\"type\":\"A\"");
    assert_has(out, "\"resourceVersion\":\"103\"");
    curl(*state, apply, out);
    assert_has(out, "\"resourceVersion\":\"103\"");
    /* Without a map by type, apply replaces the list. */
    fake_set_list_map(*state, false);
    curl(*state, apply, out);
    assert_null(strstr(out, "\"B\""));
    assert_int_equal(fake_count(*state, "WRITE", "/one/status"), 4);
}

static void test_fake__an_update_needs_the_latest_version(void **state) {
    char out[OUTPUT_SIZE];
    put(*state, "one", 1);
    curl(*state,
         ONE "/status -X PUT -H 'Content-Type: application/json' -d "
             "'{\"metadata\":{\"resourceVersion\":\"100\"},\"status\":{\"phase\":\"x\"}}'",
         out);
    assert_has(out, "\n409");
    curl(*state,
         ONE "/status -X PUT -H 'Content-Type: application/json' -d "
             "'{\"metadata\":{\"resourceVersion\":\"101\"},\"status\":{\"phase\":\"x\"}}'",
         out);
    assert_has(out, "\n200");
    assert_has(out, "\"phase\":\"x\"");
    assert_has(out, "\"replicas\":1");
}

static void test_fake__serves_the_given_versions(void **state) {
    char out[OUTPUT_SIZE];
    curl(*state, "/apis/toolhive.stacklok.dev", out);
    assert_has(out, "\"version\":\"v1alpha1\"}]");
    fake_set_versions(*state, "v1alpha1");
    curl(*state, TOOLHIVE "/mcpservers", out);
    assert_has(out, "404 page not found\n\n404");
    fake_set_versions(*state, "");
    curl(*state, "/apis/toolhive.stacklok.dev", out);
    assert_has(out, "\n404");
}

static void test_fake__faults_come_and_go(void **state) {
    static const struct {
        struct fake_fault fault;
        const char *expected;
    } rows[] = {
        {{.kind = FAKE_ANSWER, .status = 503, .headers = "Retry-After: 1\r\n"}, "\n503"},
        {{.kind = FAKE_ANSWER, .status = 200, .headers = "", .body = "<html>"}, "<html>\n200"},
        {{.kind = FAKE_CUT, .n_bytes = 10}, "{\"kind\":\"M\n200"},
        {{.kind = FAKE_RESET}, "\n000"},
        {{.kind = FAKE_DRIP, .n_bytes = 1}, "\"items\":[]}\n200"},
        {{.kind = FAKE_LATE, .delay_ms = 10}, "\"items\":[]}\n200"},
    };
    char out[OUTPUT_SIZE];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake_fault fault = rows[i].fault;
        fault.times = 1;
        fault.verb = "LIST";
        fault.path = "mcpservers";
        fake_inject(*state, &fault);
        curl(*state, TOOLHIVE "/mcpservers", out);
        assert_has(out, rows[i].expected);
        curl(*state, TOOLHIVE "/mcpservers", out);
        assert_has(out, "\"items\":[]}\n200");
    }
    fake_set_token(*state, "abc");
    curl(*state, TOOLHIVE "/mcpservers", out);
    assert_has(out, "\n401");
    curl(*state, TOOLHIVE "/mcpservers -H 'Authorization: Bearer abc'", out);
    assert_has(out, "\n200");
    fake_go_away(*state);
    curl(*state, TOOLHIVE "/mcpservers -H 'Authorization: Bearer abc'", out);
    assert_string_equal(out, "\n000");
    fake_come_back(*state);
    curl(*state, TOOLHIVE "/mcpservers -H 'Authorization: Bearer abc'", out);
    assert_has(out, "\n200");
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_fake__pages_are_joined_by_a_token),
        FRESH(test_fake__a_watch_reports_the_changes_since),
        FRESH(test_fake__apply_writes_only_differences),
        FRESH(test_fake__an_update_needs_the_latest_version),
        FRESH(test_fake__serves_the_given_versions),
        FRESH(test_fake__faults_come_and_go),
    };
    return cmocka_run_group_tests_name("cluster/fake", tests, NULL, NULL);
}
