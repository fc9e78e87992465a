// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 54, 55 and 60: all events of a watch, in any pieces, and a watch that is too old to go on. A
 * written status shows that the program knows an object. A look-up shows that it no longer knows
 * it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cluster/cluster.h"

enum { LONG_LINE = 20 << 20 };

static int start(void **state) {
    cluster_setup(state);
    cluster_start(*state);
    return 0;
}

static void put(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = -1};
    cluster_put_server(cluster, &server);
}

static void send_line(const struct cluster *cluster, const char *line) {
    fake_send(cluster->api, FAKE_SERVER, line, strlen(line));
}

static void wait_until_known(const struct cluster *cluster, const char *name) {
    char path[128];
    snprintf(path, sizeof(path), "/mcpservers/%s/status", name);
    cluster_wait_for(cluster, "WRITE", path, 1);
}

/* The program looks up an unknown object, but not a known one. */
static void assert_known(const struct cluster *cluster, const char *name, bool is_known) {
    char path[128];
    const struct cluster_deployment deployment = {.name = name, .replicas = 5};
    snprintf(path, sizeof(path), "/namespaces/default/mcpservers/%s", name);
    cluster_ask(cluster, cluster_review(&deployment), is_known ? PATCH_REPLICAS_TO_1 : "",
                is_known ? "stdio-cap" : "");
    cluster_assert_count(cluster, "GET", path, is_known ? 0 : 1);
}

/* The resourceVersion of the latest watch of MCPServers. */
static void get_watched_version(const struct cluster *cluster, char out[64]) {
    struct fake_request request;
    size_t n = fake_count(cluster->api, "WATCH", SERVERS);
    cluster_find(cluster, "WATCH", SERVERS, n - 1, &request);
    const char *version = strstr(request.path, "resourceVersion=");
    assert_non_null(version);
    version += strlen("resourceVersion=");
    snprintf(out, 64, "%.*s", (int)strcspn(version, "&"), version);
}

static void get_version(const struct cluster *cluster, enum fake_kind kind, const char *name,
                        char out[64]) {
    cJSON *object = fake_get(cluster->api, kind, "default", name);
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    snprintf(out, 64, "%s",
             cJSON_GetObjectItemCaseSensitive(metadata, "resourceVersion")->valuestring);
    cJSON_Delete(object);
}

/* While no watch is open, "gone" goes and "new" comes. Then the watch fails with the given
   fault. */
static void miss_a_change(struct cluster *cluster) {
    const struct fake_fault away = {.verb = "WATCH", .kind = FAKE_ANSWER, .status = 503};
    put(cluster, "gone");
    put(cluster, "kept");
    wait_until_known(cluster, "gone");
    wait_until_known(cluster, "kept");
    cluster_settle(cluster);
    fake_inject(cluster->api, &away);
    fake_end_watches(cluster->api);
    cluster_wait_for(cluster, "WATCH", SERVERS, fake_count(cluster->api, "WATCH", SERVERS) + 1);
    cluster_remove_server(cluster, "gone");
    put(cluster, "new");
}

static void assert_change_was_found(struct cluster *cluster) {
    wait_until_known(cluster, "new");
    cluster_wait_for_watches(cluster);
    assert_known(cluster, "gone", false);
    assert_known(cluster, "new", true);
    assert_known(cluster, "kept", true);
    cluster_assert_count(cluster, "WRITE", "/mcpservers/kept/status", 1);
    cluster_assert_count(cluster, "LIST", SERVERS, 2);
    assert_true(cluster_is_ready(cluster));
}

static void test_row_54__a_watch_that_is_too_old_leads_to_a_new_list(void **state) {
    struct cluster *cluster = *state;
    miss_a_change(cluster);
    fake_compact(cluster->api);
    fake_heal(cluster->api);
    assert_change_was_found(cluster);
}

static void test_row_54__a_410_of_http_leads_to_a_new_list(void **state) {
    static const struct fake_fault expired = {
        .verb = "WATCH", .path = SERVERS, .kind = FAKE_ANSWER, .status = 410, .times = 1};
    struct cluster *cluster = *state;
    struct fake_request list;
    miss_a_change(cluster);
    fake_heal(cluster->api);
    fake_inject(cluster->api, &expired);
    assert_change_was_found(cluster);
    /* The new list does not come from a cache, which may be behind. */
    cluster_find(cluster, "LIST", SERVERS, 1, &list);
    assert_null(strstr(list.path, "resourceVersion="));
}

static void test_row_54__a_410_in_the_middle_of_the_pages_leads_to_a_whole_list(void **state) {
    enum { MANY = 600 };
    static const struct fake_fault expired = {
        .verb = "LIST", .path = "continue=", .kind = FAKE_ANSWER, .status = 410, .times = 1};
    struct cluster *cluster = *state;
    struct fake_request list;
    char name[32];
    fake_hold_watches(cluster->api);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "server-%04d", i);
        const struct cluster_server server = {
            .name = name, .transport = "stdio", .replicas = -1, .status = CLUSTER_QUIET_STATUS};
        cluster_put_server(cluster, &server);
    }
    put(cluster, "zero");
    fake_inject(cluster->api, &expired);
    fake_compact(cluster->api);
    fake_cut_watches(cluster->api);
    cluster_wait_for(cluster, "WATCH", SERVERS, 2);
    fake_release_watches(cluster->api);
    wait_until_known(cluster, "zero");
    cluster_find(cluster, "LIST", SERVERS, 1, &list);
    assert_non_null(strstr(list.path, "limit=500"));
    cluster_find(cluster, "LIST", SERVERS, 2, &list);
    assert_non_null(strstr(list.path, "continue="));
    cluster_find(cluster, "LIST", SERVERS, 3, &list);
    assert_null(strstr(list.path, "limit="));
    assert_null(strstr(list.path, "continue="));
    assert_known(cluster, "server-0000", true);
    assert_known(cluster, "server-0599", true);
    cluster_assert_count(cluster, "WRITE", NULL, 1);
}

static void test_row_54__pages_are_put_together(void **state) {
    enum { MANY = 1001 };
    struct cluster *cluster = *state;
    struct fake_request list;
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "server-%04d", i);
        const struct cluster_server server = {
            .name = name, .transport = "stdio", .replicas = -1, .status = CLUSTER_QUIET_STATUS};
        cluster_put_server(cluster, &server);
    }
    cluster_settle(cluster);
    const struct fake_fault expired = {
        .verb = "WATCH", .path = SERVERS, .kind = FAKE_ANSWER, .status = 410, .times = 1};
    fake_inject(cluster->api, &expired);
    fake_end_watches(cluster->api);
    cluster_wait_for(cluster, "LIST", SERVERS, 4);
    cluster_settle(cluster);
    cluster_find(cluster, "LIST", SERVERS, 3, &list);
    assert_non_null(strstr(list.path, "continue="));
    assert_known(cluster, "server-0000", true);
    assert_known(cluster, "server-0500", true);
    assert_known(cluster, "server-1000", true);
}

static void test_row_55__a_line_may_come_byte_by_byte(void **state) {
    static const struct fake_fault drip = {
        .verb = "WATCH", .path = SERVERS, .kind = FAKE_DRIP, .n_bytes = 1};
    struct cluster *cluster = *state;
    fake_inject(cluster->api, &drip);
    fake_end_watches(cluster->api);
    put(cluster, "one");
    put(cluster, "two");
    wait_until_known(cluster, "one");
    wait_until_known(cluster, "two");
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
}

static void test_row_55__many_lines_may_come_in_one_segment(void **state) {
    struct cluster *cluster = *state;
    fake_hold_watches(cluster->api);
    put(cluster, "one");
    put(cluster, "two");
    put(cluster, "gone");
    cluster_remove_server(cluster, "gone");
    put(cluster, "three");
    fake_release_watches(cluster->api);
    wait_until_known(cluster, "one");
    wait_until_known(cluster, "two");
    wait_until_known(cluster, "three");
    cluster_settle(cluster);
    assert_known(cluster, "gone", false);
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
}

static void test_row_55__a_last_line_without_an_end_does_not_count(void **state) {
    static const char *const pieces[] = {
        "{\"type\":\"ADDED\",\"object\":{\"kind\":\"MCPServer\",\"apiVersion\":\"",
        /* A whole line of JSON, except for its newline. */
        "{\"type\":\"ADDED\",\"object\":{\"kind\":\"MCPServer\",\"apiVersion\":"
        "\"toolhive.stacklok.dev/v1beta1\",\"metadata\":{\"namespace\":\"default\",\"name\":"
        "\"never\",\"uid\":\"m-never\",\"generation\":1,\"resourceVersion\":\"100000\"},\"spec\":{"
        "\"transport\":\"stdio\"}}}"};
    struct cluster *cluster = *state;
    char version[64];
    char watched[64];
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        char name[32];
        snprintf(name, sizeof(name), "server-%zu", i);
        put(cluster, name);
        cluster_wait_for_condition(cluster, name, CLUSTER_CAPPED, "False");
        cluster_settle(cluster);
        get_version(cluster, FAKE_SERVER, name, version);
        size_t n = fake_count(cluster->api, "WATCH", SERVERS);
        send_line(cluster, pieces[i]);
        fake_cut_watches(cluster->api);
        cluster_wait_for(cluster, "WATCH", SERVERS, n + 1);
        get_watched_version(cluster, watched);
        assert_in_range(atoi(watched), atoi(version), 99999);
    }
    cluster_settle(cluster);
    assert_known(cluster, "never", false);
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
    cluster_assert_count(cluster, "WRITE", "/mcpservers/never/status", 0);
}

static char *make_large_server(const char *name) {
    char head[512];
    snprintf(head, sizeof(head),
             "{\"kind\":\"MCPServer\",\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\","
             "\"annotations\":{\"long\":\"",
             name);
    static const char tail[] = "\"}},\"spec\":{\"transport\":\"stdio\"}}";
    char *json = memory_new(strlen(head) + LONG_LINE + sizeof(tail), 1);
    memcpy(json, head, strlen(head));
    memset(json + strlen(head), 'x', LONG_LINE);
    memcpy(json + strlen(head) + LONG_LINE, tail, sizeof(tail));
    return json;
}

static void test_row_55__a_line_of_20_mb_is_one_line(void **state) {
    struct cluster *cluster = *state;
    AUTO_FREE char *json = make_large_server("large");
    fake_put(cluster->api, FAKE_SERVER, json);
    wait_until_known(cluster, "large");
    cluster_settle(cluster);
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
    /* The same in a list. */
    assert_int_equal(program_stop(&cluster->program), 0);
    cluster_put_server_status(cluster, "large", NULL);
    cluster_start(cluster);
    cluster_wait_for(cluster, "WRITE", "/mcpservers/large/status", 2);
}

static void test_row_60__what_is_not_understood_is_passed_over(void **state) {
    static const char *const lines[] = {
        "{\"type\":\"FUTURE\",\"object\":{\"metadata\":{\"name\":\"x\",\"namespace\":\"y\"}}}\n",
        "{\"type\":\"BOOKMARK\",\"object\":{}}\n",
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":null}}\n",
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":7}}}\n",
        "{\"type\":\"ADDED\",\"object\":null}\n",
        "{\"type\":\"MODIFIED\",\"object\":[]}\n",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}\n",
        "{\"type\":\"ADDED\"}\n",
        "{\"type\":null,\"object\":{}}\n",
        "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"one\"}}}\n",
        "{}\n",
        "\n",
        "\n\n{\"TYPE\":\"DELETED\"}\n",
    };
    struct cluster *cluster = *state;
    put(cluster, "one");
    wait_until_known(cluster, "one");
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        send_line(cluster, lines[i]);
    }
    put(cluster, "two");
    wait_until_known(cluster, "two");
    assert_known(cluster, "one", true);
    assert_known(cluster, "two", true);
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
    cluster_assert_count(cluster, "WATCH", SERVERS, 1);
}

/* A restart begins the back-off anew. */
static void restart(struct cluster *cluster) {
    assert_int_equal(program_stop(&cluster->program), 0);
    cluster_start(cluster);
}

static void test_row_60__what_is_no_json_leads_to_a_new_list(void **state) {
    static const char *const lines[] = {"not JSON\n", "{\"type\":\"ADDED\",\"object\":{\n",
                                        "{\"type\":\"ADDED\"}garbage\n", "\xff\xfe\n"};
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char name[32];
        size_t n = fake_count(cluster->api, "LIST", SERVERS);
        snprintf(name, sizeof(name), "server-%zu", i);
        send_line(cluster, lines[i]);
        cluster_wait_for(cluster, "LIST", SERVERS, n + 1);
        cluster_wait_for_watches(cluster);
        put(cluster, name);
        wait_until_known(cluster, name);
        restart(cluster);
    }
}

static void test_row_60__error_events_are_gone_on_from(void **state) {
    static const struct {
        const char *line;
        size_t n_lists;
    } rows[] = {
        {"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n", 1},
        {"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500}}\n", 0},
        {"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":429}}\n", 0},
        {"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":403}}\n", 1},
        {"{\"type\":\"ERROR\",\"object\":null}\n", 1},
    };
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char name[32];
        size_t n_lists = fake_count(cluster->api, "LIST", SERVERS);
        size_t n_watches = fake_count(cluster->api, "WATCH", SERVERS);
        snprintf(name, sizeof(name), "server-%zu", i);
        send_line(cluster, rows[i].line);
        cluster_wait_for(cluster, "WATCH", SERVERS, n_watches + 1);
        put(cluster, name);
        wait_until_known(cluster, name);
        cluster_assert_count(cluster, "LIST", SERVERS, n_lists + rows[i].n_lists);
        restart(cluster);
    }
}

/* The version moves on though no MCPServer changed. The next watch starts from there. */
static void test_row_54__a_watch_goes_on_from_a_bookmark(void **state) {
    static const struct cluster_deployment other = {
        .name = "other", .replicas = 1, .owner_uid = ""};
    struct cluster *cluster = *state;
    char version[64];
    char watched[64];
    put(cluster, "one");
    wait_until_known(cluster, "one");
    cluster_settle(cluster);
    cluster_put_deployment(cluster, &other);
    get_version(cluster, FAKE_DEPLOYMENT, "other", version);
    fake_end_watches(cluster->api);
    cluster_wait_for(cluster, "WATCH", SERVERS, 2);
    get_watched_version(cluster, watched);
    assert_string_equal(watched, version);
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, start, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_row_54__a_watch_that_is_too_old_leads_to_a_new_list),
        FRESH(test_row_54__a_410_of_http_leads_to_a_new_list),
        FRESH(test_row_54__a_410_in_the_middle_of_the_pages_leads_to_a_whole_list),
        FRESH(test_row_54__pages_are_put_together),
        FRESH(test_row_54__a_watch_goes_on_from_a_bookmark),
        FRESH(test_row_55__a_line_may_come_byte_by_byte),
        FRESH(test_row_55__many_lines_may_come_in_one_segment),
        FRESH(test_row_55__a_last_line_without_an_end_does_not_count),
        FRESH(test_row_55__a_line_of_20_mb_is_one_line),
        FRESH(test_row_60__what_is_not_understood_is_passed_over),
        FRESH(test_row_60__what_is_no_json_leads_to_a_new_list),
        FRESH(test_row_60__error_events_are_gone_on_from),
    };
    return cmocka_run_group_tests_name("cluster/watch", tests, NULL, NULL);
}
