// SPDX-License-Identifier: Apache-2.0

/*
 * The program seen from outside. The page of /metrics parses and counts the events on the wire. The
 * log leaves out what it must not contain.
 */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "wire.h"

enum { PAGE_SIZE_MAX = 64 * 1024, NAME_SIZE = 128 };

static char *read_page(const struct program *program) {
    struct http_client client;
    struct http_answer answer;
    char *page = memory_new(PAGE_SIZE_MAX, 1);
    http_client_open(&client, program->metrics_port);
    assert_true(http_client_send_text(&client, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(http_client_read_whole(&client, &answer, page, PAGE_SIZE_MAX));
    assert_int_equal(answer.status, 200);
    assert_true(http_answer_has(&answer, "Content-Type: text/plain; version=0.0.4"));
    http_client_close(&client);
    return page;
}

static size_t name_size(const char *line) {
    size_t size = 0;
    while (isalnum((unsigned char)line[size]) || line[size] == '_' || line[size] == ':') {
        size++;
    }
    return size;
}

/* Skips labels, if there are any: {name="value",...}. */
static const char *skip_labels(const char *at) {
    if (*at != '{') {
        return at;
    }
    do {
        at++;
        size_t size = name_size(at);
        assert_true(size > 0);
        at += size;
        assert_int_equal(at[0], '=');
        assert_int_equal(at[1], '"');
        at += 2 + strcspn(at + 2, "\"\n");
        assert_int_equal(*at, '"');
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

/* A sample has its family's name. One of a histogram also has one of three endings. */
static void assert_belongs(const char *line, size_t size, const char *family, const char *type) {
    static const char *const endings[] = {"_bucket", "_sum", "_count"};
    size_t family_size = strlen(family);
    assert_true(size >= family_size && memcmp(line, family, family_size) == 0);
    if (strcmp(type, "histogram") != 0) {
        assert_int_equal(size, family_size);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        if (size - family_size == strlen(endings[i]) &&
            memcmp(line + family_size, endings[i], strlen(endings[i])) == 0) {
            return;
        }
    }
    fail_msg("'%.*s' is none of '%s'", (int)size, line, family);
}

static void test_observe__the_page_parses(void **state) {
    AUTO_FREE char *page = read_page(*state);
    char family[NAME_SIZE] = "";
    char type[NAME_SIZE] = "";
    int n_samples = 0;
    assert_int_equal(page[strlen(page) - 1], '\n');
    for (char *rest, *line = strtok_r(page, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            assert_int_equal(line[7 + name_size(line + 7)], ' ');
            snprintf(family, sizeof(family), "%.*s", (int)name_size(line + 7), line + 7);
            type[0] = '\0';
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            char name[NAME_SIZE];
            assert_int_equal(sscanf(line + 7, "%127s %127s", name, type), 2);
            assert_string_equal(name, family);
        } else {
            char *end;
            size_t size = name_size(line);
            assert_belongs(line, size, family, type);
            const char *value = skip_labels(line + size);
            assert_int_equal(*value, ' ');
            assert_true(strtod(value + 1, &end) >= 0);
            assert_true(end > value + 1 && *end == '\0');
            n_samples++;
        }
    }
    assert_true(n_samples > 40);
}

static void test_observe__buckets_add_up(void **state) {
    static const char bucket[] = "capstan_admission_duration_seconds_bucket{le=\"";
    struct verdict verdict;
    for (int i = 0; i < 5; i++) {
        wire_ask_sample(*state, "10-Scale-UPDATE-weather", &verdict);
    }
    AUTO_FREE char *page = read_page(*state);
    long long last = 0;
    double bound = -1;
    int n = 0;
    for (const char *line = page; (line = strstr(line, bucket)) != NULL; line++, n++) {
        double is = strtod(line + strlen(bucket), NULL); /* "+Inf" too */
        long long count = strtoll(strchr(line, ' '), NULL, 10);
        assert_true(is > bound);
        assert_true(count >= last);
        bound = is;
        last = count;
    }
    assert_true(n > 5);
    assert_true(last >= 5);
    assert_int_equal(program_metric(*state, "capstan_admission_duration_seconds_count"), last);
}

struct count_row {
    const char *series;
    int64_t rise;
};

static void test_observe__counts_answers(void **state) {
    static const struct count_row rows[] = {
        {"capstan_admission_requests_total{code=\"200\"}", 4},
        {"capstan_admission_requests_total{code=\"400\"}", 2},
        {"capstan_admission_requests_total{code=\"500\"}", 0},
        {"capstan_admission_decisions_total{rule=\"stdio-cap\",action=\"patch\"}", 1},
        {"capstan_admission_decisions_total{rule=\"stdio-cap\",action=\"warn\"}", 1},
        {"capstan_admission_decisions_total{rule=\"stdio-cap\",action=\"deny\"}", 0},
        {"capstan_admission_decisions_total{rule=\"replica-passthrough\",action=\"patch\"}", 1},
        {"capstan_admission_decisions_total{rule=\"session-storage\",action=\"warn\"}", 1},
        {"capstan_admission_decisions_total{rule=\"grace-period\",action=\"patch\"}", 0},
        {"capstan_admission_duration_seconds_count", 4},
        {"capstan_admission_unresolved_total", 0},
        {"capstan_http_connections_accepted_total", 6},
        {"capstan_http_connections_without_request_total", 0},
        {"capstan_mcpservers", 0},
    };
    const struct program *program = *state;
    struct verdict verdict;
    int64_t before[COUNT_OF(rows)];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        before[i] = program_metric(program, rows[i].series);
    }
    wire_ask_sample(program, "01-MCPServer-CREATE-github", &verdict);
    wire_ask_sample(program, "05-Deployment-CREATE-github", &verdict);
    wire_ask_sample(program, "09-Scale-UPDATE-github", &verdict);
    wire_ask_sample(program, "12-Deployment-UPDATE-weather", &verdict);
    wire_ask(program, "{}", &verdict);
    wire_ask(program, "", &verdict);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t rise = program_metric(program, rows[i].series) - before[i];
        if (rise != rows[i].rise) {
            fail_msg("%s rose by %lld", rows[i].series, (long long)rise);
        }
    }
    assert_int_equal(program_metric(program, "capstan_mcpservers"), 7);
    assert_int_equal(program_metric(program, "capstan_deployments"), 2);
}

#define OBJECT(kind, name)                                                                         \
    "---\napiVersion: toolhive.stacklok.dev/v1beta1\nkind: " kind "\nmetadata: {name: " name       \
    ", namespace: default}\nspec: {}\n"

static void test_observe__counts_the_objects_of_each_kind(void **state) {
    (void)state;
    struct program program;
    program_init(&program);
    program_put(&program, "objects/family.yaml",
                OBJECT("MCPServer", "one") OBJECT("MCPRemoteProxy", "one")
                    OBJECT("MCPRemoteProxy", "two") OBJECT("VirtualMCPServer", "one")
                        OBJECT("VirtualMCPServer", "two") OBJECT("VirtualMCPServer", "three"));
    program_start(&program);
    assert_int_equal(program_metric(&program, "capstan_mcpservers"), 1);
    assert_int_equal(program_metric(&program, "capstan_mcpremoteproxies"), 2);
    assert_int_equal(program_metric(&program, "capstan_virtualmcpservers"), 3);
    assert_int_equal(program_metric(&program, "capstan_deployments"), 0);
    assert_int_equal(program_stop(&program), 0);
    program_fini(&program);
}

static void test_observe__counts_unresolved_failures(void **state) {
    (void)state;
    struct program program;
    struct verdict verdict;
    program_init(&program);
    program.has_policy = true;
    program_put(&program, "policy.yaml",
                "apiVersion: capstan.dev/v1\nkind: PolicyConfig\nonUnresolved: fail\n");
    program_start(&program);
    wire_ask_sample(&program, "09-Scale-UPDATE-github", &verdict);
    assert_int_equal(verdict.status, 500);
    assert_non_null(strstr(verdict.body, "could not be looked up"));
    assert_int_equal(program_metric(&program, "capstan_admission_requests_total{code=\"500\"}"), 1);
    assert_int_equal(program_metric(&program, "capstan_admission_unresolved_total"), 1);
    assert_int_equal(program_metric(&program, "capstan_mcpservers"), 0);
    assert_int_equal(program_stop(&program), 0);
    program_fini(&program);
}

/* A label with the names of objects would make a series for each object, for ever. */
static void test_observe__no_name_of_an_object_is_in_it(void **state) {
    struct verdict verdict;
    wire_ask_sample(*state, "09-Scale-UPDATE-github", &verdict);
    AUTO_FREE char *page = read_page(*state);
    assert_null(strstr(page, "github"));
    assert_null(strstr(page, "default"));
    assert_null(strstr(page, "admin\""));
}

/* The program never logs objects: neither their fields nor other text of a client. */
static void test_observe__no_object_is_in_the_log(void **state) {
    struct verdict verdict;
    AUTO_FREE char *json = sample_with("01-MCPServer-CREATE-github", "/request/object/spec/image",
                                       "\"a-secret-of-mine\"");
    wire_ask(*state, json, &verdict);
    wire_ask(*state, "{\"token\":\"a-secret-of-mine\"}", &verdict);
    wire_ask(*state, "a-secret-of-mine", &verdict);
    assert_int_equal(program_count_log(*state, "a-secret-of-mine"), 0);
    /* Once a minute is enough. */
    assert_int_equal(program_count_log(*state, "\"review.malformed\""), 1);
}

/* Each scale of one user is set back. A dry run contests nothing. */
static void test_observe__a_contested_count_is_said_once_a_minute(void **state) {
    (void)state;
    struct program program;
    struct verdict verdict;
    program_init(&program);
    program_put_sample(&program, "mcpservers-live.json");
    program_start(&program);
    for (int i = 0; i < 20; i++) {
        AUTO_FREE char *dry = sample_with("09-Scale-UPDATE-github", "/request/dryRun", "true");
        wire_ask(&program, dry, &verdict);
    }
    assert_int_equal(program_count_log(&program, "\"review.contested\""), 0);
    assert_int_equal(program_count_log(&program, "\"review.decided\""), 20);
    for (int i = 0; i < 20; i++) {
        wire_ask_sample(&program, "09-Scale-UPDATE-github", &verdict);
        wire_assert(&verdict, "scale", PATCH_REPLICAS_TO_1, "stdio-cap");
    }
    program_wait_for_log(&program, "\"review.contested\"", 1);
    assert_int_equal(program_count_log(&program, "\"review.contested\""), 1);
    assert_int_equal(program_count_log(&program, "\"review.decided\""), 22);
    assert_int_equal(program_metric(&program, "capstan_contested_total{rule=\"stdio-cap\"}"), 18);
    assert_int_equal(
        program_metric(&program, "capstan_contested_total{rule=\"replica-passthrough\"}"), 0);
    assert_int_equal(program_stop(&program), 0);
    program_fini(&program);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_observe__the_page_parses),
        cmocka_unit_test(test_observe__buckets_add_up),
        cmocka_unit_test(test_observe__counts_answers),
        cmocka_unit_test(test_observe__counts_the_objects_of_each_kind),
        cmocka_unit_test(test_observe__counts_unresolved_failures),
        cmocka_unit_test(test_observe__no_name_of_an_object_is_in_it),
        cmocka_unit_test(test_observe__no_object_is_in_the_log),
        cmocka_unit_test(test_observe__a_contested_count_is_said_once_a_minute),
    };
    return cmocka_run_group_tests_name("wire/observe", tests, program_setup, program_teardown);
}
