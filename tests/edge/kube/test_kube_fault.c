// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/file.h"
#include "kube/kube_fault.h"
#include "kube/kube_incoming.h"
#include "kube_site.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static void test_kube_fault__has_a_kind_for_each_status(void **state) {
    (void)state;
    static const struct {
        int status;
        enum error_kind kind;
    } rows[] = {
        {400, ERROR_INVALID},     {401, ERROR_DENIED},      {403, ERROR_DENIED},
        {404, ERROR_NOT_FOUND},   {405, ERROR_INVALID},     {409, ERROR_CONFLICT},
        {410, ERROR_EXPIRED},     {415, ERROR_INVALID},     {422, ERROR_INVALID},
        {429, ERROR_UNAVAILABLE}, {500, ERROR_UNAVAILABLE}, {502, ERROR_UNAVAILABLE},
        {503, ERROR_UNAVAILABLE}, {504, ERROR_UNAVAILABLE}, {599, ERROR_UNAVAILABLE},
        {300, ERROR_UNAVAILABLE}, {304, ERROR_UNAVAILABLE},
    };
    static const enum kube_verb verbs[] = {KUBE_GET, KUBE_WATCH, KUBE_APPLY};
    static const char body[] = "{\"kind\":\"Status\",\"message\":\"no\"}";
    struct kube_site site;
    kube_site_open(&site);
    for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(verbs); i++) {
        struct kube_heard heard;
        int status = rows[i / COUNT_OF(verbs)].status;
        char head[32];
        char expected[64];
        char path[16];
        snprintf(head, sizeof(head), "%d X", status);
        snprintf(path, sizeof(path), "/%zu", i);
        AUTO_FREE char *text = kube_site_text(head, status == 304 ? "" : body);
        script_server_answer(site.server, path, 1, text);
        kube_site_ask(&site, verbs[i % COUNT_OF(verbs)], path, &heard);
        snprintf(expected, sizeof(expected), "%s %s: %d%s",
                 kube_fault_verb(verbs[i % COUNT_OF(verbs)]), path, status,
                 status == 304 ? "" : ": no");
        if (heard.is_good || heard.status != status || heard.n_lines > 0 ||
            heard.error.kind != rows[i / COUNT_OF(verbs)].kind ||
            strcmp(heard.error.text, expected) != 0 ||
            strcmp(heard.body, status == 304 ? "" : body) != 0) {
            fail_msg("%d: %d '%s'", status, (int)heard.error.kind, heard.error.text);
        }
        kube_heard_fini(&heard);
    }
    /* None of these answers breaks the connection. */
    assert_int_equal(script_server_n_connections(site.server), 1);
    kube_site_stop(&site);
}

static void test_kube_fault__quotes_the_body(void **state) {
    (void)state;
    static const struct {
        const char *body;
        const char *text;
    } rows[] = {
        {"{\"kind\":\"Status\",\"message\":\"it is \\\"so\\\"\"}", "GET /a: 500: it is \"so\""},
        {"{\"message\":\"cut after this\",\"det", "GET /a: 500: cut after this"},
        {"{\"message\":\"two\\nlines\\u0007\"}", "GET /a: 500: two lines "},
        {"{\"message\":\"\"}", "GET /a: 500"},
        {"{\"message\":\"a\\u0000b\"}", "GET /a: 500"},
        {"{\"message\":7}", "GET /a: 500"},
        {"{\"metadata\":{\"message\":\"no\"}}", "GET /a: 500"},
        {"[\"message\",\"no\"]", "GET /a: 500"},
        {"{\"mess", "GET /a: 500"},
        {"<html><body>Bad Gateway</body></html>", "GET /a: 500"},
        {"\r\n <html>", "GET /a: 500"},
        {"404 page not found\n", "GET /a: 500: 404 page not found"},
        {"first\tline\r\nsecond", "GET /a: 500: first line"},
        {"", "GET /a: 500"},
        {" \n", "GET /a: 500"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345678901",
         "GET /a: 500: "
         "01234567890123456789012345678901234567890123456789012345678901234567890123456789"},
    };
    static const struct kube_request request = {.verb = KUBE_GET, .path = "/a?secret"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error error;
        kube_fault_refused(&request, 500, rows[i].body, strlen(rows[i].body), &error);
        assert_string_equal(error.text, rows[i].text);
    }
    struct error error;
    kube_fault_refused(&request, 500, NULL, 0, &error);
    assert_string_equal(error.text, "GET /a: 500");
    kube_fault_refused(&request, 500, "\0x", 2, &error);
    assert_string_equal(error.text, "GET /a: 500");
}

static void test_kube_fault__leaves_room_behind_a_long_path(void **state) {
    (void)state;
    char path[130];
    char expected[200];
    memset(path, 'p', sizeof(path));
    path[0] = '/';
    for (size_t size = 120; size <= 121; size++) {
        struct error error;
        path[size] = '\0';
        const struct kube_request request = {.verb = KUBE_GET, .path = path};
        kube_fault_broken(&request, 0, "gone", &error);
        snprintf(expected, sizeof(expected), "GET %.120s%s: no answer: gone", path,
                 size == 121 ? "..." : "");
        assert_string_equal(error.text, expected);
        path[size] = 'p';
    }
}

static void test_kube_fault__keeps_the_beginning_of_a_long_refusal(void **state) {
    (void)state;
    static const enum kube_verb verbs[] = {KUBE_GET, KUBE_WATCH};
    static const char begin[] = "{\"message\":\"no\",\"x\":\"";
    struct kube_site site;
    kube_site_open(&site);
    for (size_t i = 0; i < 4; i++) {
        struct kube_heard heard;
        size_t size = KUBE_REFUSAL_MAX + i / 2;
        AUTO_FREE char *body = memory_new(size + 1, 1);
        memset(body, 'x', size);
        memcpy(body, begin, sizeof(begin) - 1);
        AUTO_FREE char *text = kube_site_text("403 Forbidden", body);
        script_server_answer(site.server, "/a", 1, text);
        struct kube_request request = kube_site_request(verbs[i % 2], "/a", &heard);
        request.answer_max = 10; /* this limit applies only to good answers */
        kube_site_begin(&site, &request, &heard);
        kube_site_finish(&site, &heard);
        assert_false(heard.is_good);
        assert_int_equal(heard.error.kind, ERROR_DENIED);
        assert_non_null(strstr(heard.error.text, "/a: 403: no"));
        assert_int_equal(heard.body_size, KUBE_REFUSAL_MAX);
        kube_heard_fini(&heard);
    }
    kube_site_stop(&site);
}

static void test_kube_fault__understands_retry_after(void **state) {
    (void)state;
    static const struct {
        const char *header;
        int64_t ms;
    } rows[] = {
        {"Retry-After: 0", 0},
        {"Retry-After: 5", 5000},
        {"retry-after:1", 1000},
        {"RETRY-AFTER: \t 007 ", 7000},
        {"Retry-After: 3600", 3600000},
        {"Retry-After: 3601", -1},
        {"Retry-After: 18446744073709551617", -1},
        {"Retry-After: -1", -1},
        {"Retry-After: 1.5", -1},
        {"Retry-After: 1 2", -1},
        {"Retry-After:", -1},
        {"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", -1},
        {"X-Retry-After: 1", -1},
        {"X: 1", -1},
    };
    struct kube_site site;
    kube_site_open(&site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_heard heard;
        char head[80];
        snprintf(head, sizeof(head), "429 Too Many Requests\r\n%s", rows[i].header);
        AUTO_FREE char *text = kube_site_text(head, "slow down");
        script_server_answer(site.server, "/a", 1, text);
        kube_site_ask(&site, KUBE_GET, "/a", &heard);
        if (heard.status != 429 || heard.retry_after_ms != rows[i].ms) {
            fail_msg("'%s' is %lld", rows[i].header, (long long)heard.retry_after_ms);
        }
        kube_heard_fini(&heard);
    }
    kube_site_stop(&site);
}

static void test_kube_fault__reports_an_answer_that_broke_off(void **state) {
    (void)state;
    static const struct {
        const char *name;
        struct script_step steps[2];
        int status;
        const char *text; /* the text begins with it */
    } rows[] = {
        {"short of its length",
         {{SCRIPT_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", 0, 0},
          {SCRIPT_CLOSE, NULL, 0, 0}},
         200,
         "GET /a: 200: the answer broke off: "},
        {"without the last chunk",
         {{SCRIPT_SEND, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 0, 0},
          {SCRIPT_CLOSE, NULL, 0, 0}},
         200,
         "GET /a: 200: the answer broke off: "},
        {"in a chunk",
         {{SCRIPT_SEND, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", 0, 0},
          {SCRIPT_CLOSE, NULL, 0, 0}},
         200,
         "GET /a: 200: the answer broke off: "},
        {"a chunk that is none",
         {{SCRIPT_SEND, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n{}", 0, 0},
          {SCRIPT_CLOSE, NULL, 0, 0}},
         200,
         "GET /a: 200: the answer broke off: "},
        {"reset in the body",
         {{SCRIPT_SEND, "HTTP/1.1 404 X\r\nContent-Length: 3\r\n\r\n{}", 0, 0},
          {SCRIPT_RESET, NULL, 0, 0}},
         404,
         "GET /a: 404: the answer broke off: "},
        {"closed at once", {{SCRIPT_CLOSE, NULL, 0, 0}}, 0, "GET /a: no answer: "},
        {"reset at once", {{SCRIPT_RESET, NULL, 0, 0}}, 0, "GET /a: no answer: "},
        {"closed in the head",
         {{SCRIPT_SEND, "HTTP/1.1 2", 0, 0}, {SCRIPT_CLOSE, NULL, 0, 0}},
         0,
         "GET /a: no answer: "},
        {"no HTTP",
         {{SCRIPT_SEND, "hello\r\n\r\n", 0, 0}, {SCRIPT_CLOSE, NULL, 0, 0}},
         0,
         "GET /a: no answer: "},
        {"only a promise",
         {{SCRIPT_SEND, "HTTP/1.1 100 Continue\r\n\r\n", 0, 0}, {SCRIPT_CLOSE, NULL, 0, 0}},
         0,
         "GET /a: no answer: "},
    };
    struct kube_site site;
    kube_site_open(&site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_heard heard;
        script_server_play(site.server, "/a", 1, rows[i].steps,
                           rows[i].steps[0].what == SCRIPT_SEND ? 2 : 1);
        kube_site_ask(&site, KUBE_GET, "/a", &heard);
        if (heard.is_good || heard.status != rows[i].status ||
            heard.error.kind != ERROR_UNAVAILABLE ||
            strncmp(heard.error.text, rows[i].text, strlen(rows[i].text)) != 0) {
            fail_msg("%s: %d, '%s'", rows[i].name, heard.status, heard.error.text);
        }
        kube_heard_fini(&heard);
    }
    kube_site_stop(&site);
}

static void test_kube_fault__reports_a_server_that_does_not_listen(void **state) {
    (void)state;
    static char refused[] = "http://127.0.0.1:1";
    static char unknown[] = "http://no-such-host.invalid:1";
    static char *const servers[] = {refused, unknown};
    struct kube_site site;
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        struct kube_heard heard;
        kube_site_init(&site, &(struct script_options){0});
        site.access.server = servers[i];
        kube_site_start(&site);
        kube_site_ask(&site, KUBE_GET, "/a", &heard);
        assert_false(heard.is_good);
        assert_int_equal(heard.status, 0);
        assert_int_equal(heard.error.kind, ERROR_UNAVAILABLE);
        assert_non_null(strstr(heard.error.text, "GET /a: no answer: "));
        kube_heard_fini(&heard);
        kube_site_stop(&site);
    }
}

/* Credentials. */

static void write_token(const char *path, const char *token) {
    struct error error;
    assert_true(file_write(path, token, strlen(token), 0600, &error));
}

static char *new_token_file(void) {
    char path[] = "/tmp/test-kube-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return memory_copy(path, strlen(path));
}

#define UNAUTHORIZED                                                                               \
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 26\r\n\r\n{\"message\":\"Unauthorized\"}"

static void test_kube_fault__asks_again_with_the_current_token(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    AUTO_FREE char *token_file = new_token_file();
    write_token(token_file, "old\n");
    kube_site_init(&site, &(struct script_options){0});
    site.access.token_file = token_file;
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    script_server_answer(site.server, "/b", 1, UNAUTHORIZED);
    script_server_answer(site.server, "/b", 1, OK_EMPTY);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    kube_heard_fini(&heard);
    write_token(token_file, "new\n");
    kube_site_ask(&site, KUBE_WATCH, "/b", &heard);
    assert_true(heard.is_good);
    assert_int_equal(script_server_n_requests(site.server), 3);
    assert_non_null(strstr(script_server_request(site.server, 1), "Bearer old\r\n"));
    assert_non_null(strstr(script_server_request(site.server, 2), "Bearer new\r\n"));
    kube_heard_fini(&heard);
    kube_site_stop(&site);
    unlink(token_file);
}

static void test_kube_fault__asks_only_once_more(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    AUTO_FREE char *token_file = new_token_file();
    write_token(token_file, "old\n");
    kube_site_init(&site, &(struct script_options){0});
    site.access.token_file = token_file;
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 0, UNAUTHORIZED);
    struct kube_request request = kube_site_request(KUBE_CREATE, "/a", &heard);
    request.body = "{}";
    request.body_size = 2;
    kube_site_begin(&site, &request, &heard);
    kube_site_finish(&site, &heard);
    assert_int_equal(heard.status, 401);
    assert_int_equal(heard.error.kind, ERROR_DENIED);
    assert_string_equal(heard.error.text, "POST /a: 401: Unauthorized");
    assert_string_equal(heard.body, "{\"message\":\"Unauthorized\"}");
    assert_int_equal(script_server_n_requests(site.server), 2);
    assert_string_equal(strstr(script_server_request(site.server, 1), "\r\n\r\n") + 4, "{}");
    kube_heard_fini(&heard);
    kube_site_stop(&site);
    unlink(token_file);
}

static void test_kube_fault__does_not_ask_again_with_the_same_token(void **state) {
    (void)state;
    static char token[] = "fixed";
    struct kube_site site;
    struct kube_heard heard;
    kube_site_init(&site, &(struct script_options){0});
    site.access.token = token;
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 0, UNAUTHORIZED);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_int_equal(heard.error.kind, ERROR_DENIED);
    assert_int_equal(script_server_n_requests(site.server), 1);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube_fault__says_that_there_is_no_token(void **state) {
    (void)state;
    static char missing[] = "missing-token";
    struct kube_site site;
    struct kube_heard heard;
    kube_site_init(&site, &(struct script_options){0});
    site.access.token_file = missing;
    kube_site_start(&site);
    kube_site_ask(&site, KUBE_GET, "/a?b", &heard);
    assert_false(heard.is_good);
    assert_int_equal(heard.status, 0);
    assert_non_null(strstr(heard.error.text, "GET /a: "));
    assert_non_null(strstr(heard.error.text, "'missing-token'"));
    assert_int_equal(script_server_n_requests(site.server), 0);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_fault__has_a_kind_for_each_status),
        cmocka_unit_test(test_kube_fault__quotes_the_body),
        cmocka_unit_test(test_kube_fault__leaves_room_behind_a_long_path),
        cmocka_unit_test(test_kube_fault__keeps_the_beginning_of_a_long_refusal),
        cmocka_unit_test(test_kube_fault__understands_retry_after),
        cmocka_unit_test(test_kube_fault__reports_an_answer_that_broke_off),
        cmocka_unit_test(test_kube_fault__reports_a_server_that_does_not_listen),
        cmocka_unit_test(test_kube_fault__asks_again_with_the_current_token),
        cmocka_unit_test(test_kube_fault__asks_only_once_more),
        cmocka_unit_test(test_kube_fault__does_not_ask_again_with_the_same_token),
        cmocka_unit_test(test_kube_fault__says_that_there_is_no_token),
    };
    return cmocka_run_group_tests_name("edge/kube_fault", tests, NULL, NULL);
}
