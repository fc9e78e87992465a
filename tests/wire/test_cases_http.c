// SPDX-License-Identifier: Apache-2.0

/*
 * For every golden case, the answer over HTTP equals the pure decision. Each test posts the case's
 * review to edge/http with app/serve/admit behind it. The answer must equal the one by
 * core/admission/decide and core/admission/review, byte for byte. All cases use one connection over
 * TLS.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "case.h"
#include "core/admission/decide.h"
#include "edge/file.h"
#include "edge/http/http_client.h"
#include "serve/admit.h"

enum { CASES_MIN = 80, BODY_MAX = 64 * 1024 };

/* admit_new() takes a function without an argument, so the time is a global. */
static _Atomic(int64_t) now;

static int64_t get_now(void) {
    return atomic_load(&now);
}

/* Shared by all cases. */
struct site {
    struct http_identity identity;
    struct http_server *server;
    struct http_client client;
    struct log log;
    struct metrics *metrics;
    _Atomic(struct admit *) admit; /* of the case under test */
};

struct http_case {
    struct site *site;
    char *root;
    char *path;
};

static void mutate(void *context, const struct http_request *request,
                   struct http_response *response) {
    struct site *site = context;
    admit_request(atomic_load(&site->admit), request, response);
}

static const struct http_route routes[] = {{"POST", "/mutate", mutate}};

static void site_open(struct site *site) {
    const struct http_options options = {
        .bind_address = "127.0.0.1:0",
        .routes = routes,
        .n_routes = COUNT_OF(routes),
        .context = site,
        .is_tls = true,
        .workers = 1,
        .connections_max = 8,
        .body_max = BODY_MAX,
        .bodies_max = BODY_MAX,
        .head_timeout_ms = 10000,
        .body_timeout_ms = 10000,
        .idle_timeout_ms = 120000,
    };
    struct error error;
    int descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC);
    http_identity_init(&site->identity);
    site->metrics = metrics_new("test", rule_names, RULE_COUNT);
    site->log =
        (struct log){.descriptor = descriptor, .format = LOG_FORMAT_JSON, .level = LOG_DEBUG};
    if (!http_start(&options, &site->server, &error) ||
        !http_set_key_pair(site->server, site->identity.leaf.certificate_pem,
                           site->identity.leaf.key_pem, &error)) {
        fail_msg("%s", error.text);
    }
    assert_true(
        http_client_open_tls(&site->client, http_port(site->server), site->identity.client));
}

static void site_close(struct site *site) {
    http_client_close(&site->client);
    http_stop(site->server);
    metrics_free(site->metrics);
    http_identity_fini(&site->identity);
    close(site->log.descriptor);
}

/* The core's answer to the case. Returns the status. For a status of 500, the core has no body. */
static int decide_case(const struct golden_case *golden, struct buffer *body) {
    struct review review;
    struct subject subject;
    struct decision decision;
    struct error error;
    if (!review_decode(golden->review, strlen(golden->review), &review, &error)) {
        fail_msg("%s", error.text);
    }
    subject_find(golden->facts, &review, NULL, &subject);
    decide(golden->policy, &review, &subject, golden->now, &decision);
    if (decision.fails) {
        return 500;
    }
    review_encode(review.uid, &decision, body);
    return 200;
}

static void post_case(struct site *site, const struct golden_case *golden,
                      struct http_answer *ret_answer, char body[BODY_MAX]) {
    char head[128];
    snprintf(head, sizeof(head), "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
             strlen(golden->review));
    assert_true(http_client_send_text(&site->client, head));
    assert_true(http_client_send_text(&site->client, golden->review));
    assert_true(http_client_read_whole(&site->client, ret_answer, body, BODY_MAX));
}

static void test_case(void **state) {
    const struct http_case *test = *state;
    struct site *site = test->site;
    struct golden_case *golden = case_load(test->root, test->path);
    /* Read the case again, to get a policy that admit can own. */
    struct golden_case *twin = case_load(test->root, test->path);
    struct admit *admit = admit_new(golden->facts, &site->log, site->metrics, get_now);
    AUTO(buffer_fini) struct buffer expected;
    AUTO_FREE char *body = memory_new(BODY_MAX, 1);
    struct http_answer answer;
    buffer_init(&expected, BODY_MAX);
    admit_set_policy(admit, TAKE(twin->policy));
    atomic_store(&site->admit, admit);
    atomic_store(&now, golden->now);
    int status = decide_case(golden, &expected);
    post_case(site, golden, &answer, body);
    assert_int_equal(answer.status, status);
    if (status == 200) {
        assert_int_equal(answer.body_size, expected.size);
        assert_memory_equal(body, expected.bytes, expected.size);
    }
    assert_int_equal(http_answer_has(&answer, "Content-Type: application/json"), status == 200);
    admit_free(admit);
    case_free(twin);
    case_free(golden);
}

static int run(char *root, const struct file_list *list) {
    struct site site = {.server = NULL};
    struct CMUnitTest *tests = memory_new(list->n_paths, sizeof(*tests));
    struct http_case *cases = memory_new(list->n_paths, sizeof(*cases));
    for (size_t i = 0; i < list->n_paths; i++) {
        cases[i] = (struct http_case){&site, root, list->paths[i]};
        tests[i] = (struct CMUnitTest){.name = list->paths[i] + strlen(root) + 1,
                                       .test_func = test_case,
                                       .initial_state = &cases[i]};
    }
    site_open(&site);
    int failed = _cmocka_run_group_tests("wire/cases_http", tests, list->n_paths, NULL, NULL);
    site_close(&site);
    free(cases);
    free(tests);
    return failed;
}

int main(void) {
    AUTO(file_list_fini) struct file_list list = {.paths = NULL};
    struct error error;
    char root[4096];
    snprintf(root, sizeof(root), "%s/cases", getenv("CAPSTAN_TESTS"));
    if (!file_find(root, &list, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    if (list.n_paths < CASES_MIN) {
        fprintf(stderr, "%zu cases are fewer than %d\n", list.n_paths, CASES_MIN);
        return 1;
    }
    return run(root, &list);
}
