// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kube/kube_curl.h"
#include "kube_site.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static bool has(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

static void test_kube__sends_what_a_verb_means(void **state) {
    (void)state;
    static const struct {
        enum kube_verb verb;
        const char *body;
        const char *request_line;
        const char *content_type; /* NULL if there is none */
        bool is_compressed;
    } rows[] = {
        {KUBE_GET, NULL, "GET /a?b=%2Fc HTTP/1.1\r\n", NULL, true},
        {KUBE_WATCH, NULL, "GET /a?b=%2Fc HTTP/1.1\r\n", NULL, false},
        {KUBE_CREATE, "{\"a\":1}", "POST /a?b=%2Fc HTTP/1.1\r\n", "application/json", false},
        {KUBE_REPLACE, "{\"a\":1}", "PUT /a?b=%2Fc HTTP/1.1\r\n", "application/json", false},
        {KUBE_APPLY, "{\"a\":1}", "PATCH /a?b=%2Fc HTTP/1.1\r\n", "application/apply-patch+yaml",
         false},
        {KUBE_MERGE, "{\"a\":1}", "PATCH /a?b=%2Fc HTTP/1.1\r\n", "application/merge-patch+json",
         false},
        {KUBE_PATCH, "[]", "PATCH /a?b=%2Fc HTTP/1.1\r\n", "application/json-patch+json", false},
        {KUBE_DELETE, "{\"a\":1}", "DELETE /a?b=%2Fc HTTP/1.1\r\n", "application/json", false},
        {KUBE_CREATE, "", "POST /a?b=%2Fc HTTP/1.1\r\n", "application/json", false},
        {KUBE_CREATE, NULL, "POST /a?b=%2Fc HTTP/1.1\r\n", "application/json", false},
    };
    struct kube_site site;
    char expected[128];
    kube_site_open(&site);
    script_server_answer(site.server, "/a", 0, OK_EMPTY);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_heard heard;
        struct kube_request request = kube_site_request(rows[i].verb, "/a?b=%2Fc", &heard);
        request.body = rows[i].body;
        request.body_size = rows[i].body == NULL ? 7 : strlen(rows[i].body);
        kube_site_begin(&site, &request, &heard);
        kube_site_finish(&site, &heard);
        assert_true(heard.is_good);
        const char *sent = script_server_request(site.server, i);
        assert_memory_equal(sent, rows[i].request_line, strlen(rows[i].request_line));
        snprintf(expected, sizeof(expected), "\r\nContent-Type: %s\r\n", rows[i].content_type);
        assert_int_equal(has(sent, "\r\nContent-Type:"), rows[i].content_type != NULL);
        assert_int_equal(has(sent, expected), rows[i].content_type != NULL);
        assert_int_equal(has(sent, "\r\nAccept-Encoding: "), rows[i].is_compressed);
        assert_string_equal(strstr(sent, "\r\n\r\n") + 4, rows[i].body == NULL ? "" : rows[i].body);
        snprintf(expected, sizeof(expected), "\r\nHost: %s\r\n", strstr(site.url, "://") + 3);
        assert_true(has(sent, expected));
        assert_true(has(sent, "\r\nAccept: application/json\r\n"));
        assert_true(has(sent, "\r\nUser-Agent: capstan/test\r\n"));
        assert_false(has(sent, "\r\nAuthorization:"));
        assert_false(has(sent, "\r\nExpect:"));
        kube_heard_fini(&heard);
    }
    kube_site_stop(&site);
}

static void test_kube__sends_a_large_body_at_once(void **state) {
    (void)state;
    enum { SIZE = 3 * 1024 * 1024 };
    struct kube_site site;
    struct kube_heard heard;
    AUTO_FREE char *body = memory_new(SIZE, 1);
    memset(body, 'x', SIZE);
    kube_site_open(&site);
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    struct kube_request request = kube_site_request(KUBE_APPLY, "/a", &heard);
    request.body = body;
    request.body_size = SIZE;
    kube_site_begin(&site, &request, &heard);
    memset(body, 'y', SIZE); /* kube_begin() must have copied it */
    kube_site_finish(&site, &heard);
    assert_true(heard.is_good);
    const char *sent = script_server_request(site.server, 0);
    assert_false(has(sent, "\r\nExpect:"));
    assert_int_equal(strspn(strstr(sent, "\r\n\r\n") + 4, "x"), SIZE);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube__keeps_its_connection(void **state) {
    (void)state;
    struct kube_site site;
    kube_site_open(&site);
    script_server_answer(site.server, "/a", 0, OK_EMPTY);
    for (int i = 0; i < 5; i++) {
        struct kube_heard heard;
        kube_site_ask(&site, i % 2 == 0 ? KUBE_GET : KUBE_CREATE, "/a", &heard);
        assert_true(heard.is_good);
        assert_int_equal(heard.status, 200);
        assert_string_equal(heard.body, "{}");
        assert_int_equal(heard.body_size, 2);
        assert_int_equal(heard.retry_after_ms, -1);
        kube_heard_fini(&heard);
    }
    assert_int_equal(script_server_n_connections(site.server), 1);
    kube_site_stop(&site);
}

static void test_kube__asks_again_where_a_kept_connection_was_closed(void **state) {
    (void)state;
    static const struct script_step closing[] = {{SCRIPT_SEND, OK_EMPTY, 0, 0},
                                                 {SCRIPT_CLOSE, NULL, 0, 0}};
    struct kube_site site;
    kube_site_open(&site);
    script_server_play(site.server, "/a", 0, closing, COUNT_OF(closing));
    for (int i = 0; i < 5; i++) {
        struct kube_heard heard;
        kube_site_ask(&site, KUBE_GET, "/a", &heard);
        assert_true(heard.is_good);
        kube_heard_fini(&heard);
    }
    kube_site_stop(&site);
}

static void test_kube__puts_paths_below_the_path_of_the_server(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    char url[96];
    kube_site_init(&site, &(struct script_options){0});
    snprintf(url, sizeof(url), "%s/k8s/clusters/c-1", site.url);
    site.access.server = url;
    kube_site_start(&site);
    script_server_answer(site.server, "/k8s/clusters/c-1/api/../x", 1, OK_EMPTY);
    kube_site_ask(&site, KUBE_GET, "/api/../x", &heard);
    assert_true(heard.is_good);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube__unpacks_compressed_answers(void **state) {
    (void)state;
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 32\r\n\r\n";
    static const char packed[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x2c\x49\xcd"
                                 "\x2d\x56\xb2\x8a\x8e\xad\x05\x00\x1d\x1f\x43\xea\x0c\x00\x00\x00";
    static const struct script_step steps[] = {{SCRIPT_SEND, head, 0, 0},
                                               {SCRIPT_SEND, packed, 32, 0}};
    struct kube_site site;
    struct kube_heard heard;
    kube_site_open(&site);
    script_server_play(site.server, NULL, 1, steps, COUNT_OF(steps));
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    if (!heard.is_good) {
        fail_msg("%s", heard.error.text);
    }
    assert_string_equal(heard.body, "{\"items\":[]}");
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube__accepts_an_answer_up_to_its_limit(void **state) {
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\n012\r\n7\r\n3456789\r\n0\r\n\r\n",
    };
    struct kube_site site;
    kube_site_open(&site);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        script_server_answer(site.server, "/a", 2, answers[i]);
        for (size_t max = 9; max <= 10; max++) {
            struct kube_heard heard;
            struct kube_request request = kube_site_request(KUBE_GET, "/a?b", &heard);
            request.answer_max = max;
            kube_site_begin(&site, &request, &heard);
            kube_site_finish(&site, &heard);
            assert_int_equal(heard.status, 200);
            assert_int_equal(heard.is_good, max == 10);
            if (max == 10) {
                assert_string_equal(heard.body, "0123456789");
            } else {
                assert_int_equal(heard.error.kind, ERROR_TOO_LARGE);
                assert_string_equal(heard.error.text, "GET /a: the answer is larger than 9 bytes");
            }
            kube_heard_fini(&heard);
        }
    }
    kube_site_stop(&site);
}

static void test_kube__follows_no_redirect_and_no_proxy(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    kube_site_open(&site);
    script_server_answer(site.server, "/a", 1,
                         "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_false(heard.is_good);
    assert_int_equal(heard.status, 302);
    assert_int_equal(heard.error.kind, ERROR_UNAVAILABLE);
    assert_int_equal(script_server_n_requests(site.server), 1);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static bool has_ipv6(void) {
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has_it = bind(fd, (const struct sockaddr *)&loopback, sizeof(loopback)) == 0;
    close(fd);
    return has_it;
}

static void test_kube__understands_an_ipv6_address(void **state) {
    (void)state;
    if (!has_ipv6()) {
        fail_msg("this machine has no ::1, which this test listens on; turn IPv6 on for lo");
    }
    struct kube_site site;
    struct kube_heard heard;
    kube_site_init(&site, &(struct script_options){.family = AF_INET6});
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_true(heard.is_good);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static int socket_option(int fd, int level, int option) {
    int value = -1;
    socklen_t size = sizeof(value);
    assert_int_equal(getsockopt(fd, level, option, &value, &size), 0);
    return value;
}

/* Finds the client's end of the one connection among all descriptors of this process. */
static int find_socket(uint16_t server_port) {
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == server_port) {
            return fd;
        }
    }
    fail_msg("no connection");
    return -1;
}

static void test_kube__notices_a_peer_that_vanished_silently(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    kube_site_open(&site);
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    int fd = find_socket(script_server_port(site.server));
    assert_int_equal(socket_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
    assert_int_equal(socket_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(socket_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    assert_int_equal(socket_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    assert_int_not_equal(socket_option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube__sends_a_token(void **state) {
    (void)state;
    static char token[] = "abc.def";
    struct kube_site site;
    struct kube_heard heard;
    kube_site_init(&site, &(struct script_options){0});
    site.access.token = token;
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_true(heard.is_good);
    assert_true(
        has(script_server_request(site.server, 0), "\r\nAuthorization: Bearer abc.def\r\n"));
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube__says_what_it_cannot_start_with(void **state) {
    (void)state;
    static char missing[] = "missing.pem";
    static char garbage[] = "garbage";
    static char ftp[] = "ftp://host";
    static char no_host[] = "https://:443";
    static char user[] = "https://user@host";
    static char query[] = "https://host?x";
    static char good[] = "https://host";
    static char after_bracket[] = "https://[::1]x";
    static const struct {
        struct kube_access access;
        enum error_kind kind;
        const char *text;
    } rows[] = {
        {{.server = ftp}, ERROR_INVALID, "the server 'ftp://host' is no URL of http or https"},
        {{.server = garbage}, ERROR_INVALID, "the server 'garbage' is no URL of http or https"},
        {{.server = no_host}, ERROR_INVALID, "'https://:443'"},
        {{.server = user}, ERROR_INVALID, "'https://user@host'"},
        {{.server = query}, ERROR_INVALID, "'https://host?x'"},
        {{.server = after_bracket}, ERROR_INVALID, "'https://[::1]x'"},
        {{.server = good, .ca_file = missing}, ERROR_NOT_FOUND, "the CA of the server: "},
        {{.server = good, .ca_pem = garbage}, ERROR_INVALID, "the CA of the server: "},
        {{.server = good, .certificate_file = missing}, ERROR_NOT_FOUND, "'missing.pem'"},
        {{.server = good, .certificate_pem = garbage}, ERROR_INVALID, "the client's certificate: "},
        {{.server = good, .key_file = missing}, ERROR_NOT_FOUND, "the client's key: "},
        {{.server = good, .key_pem = garbage}, ERROR_INVALID, "the client's key: "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube *kube = NULL;
        struct error error;
        const struct kube_options options = {.access = &rows[i].access, .connections_max = 1};
        assert_false(kube_new(&options, &kube, &error));
        assert_null(kube);
        if (error.kind != rows[i].kind || !has(error.text, rows[i].text)) {
            fail_msg("%zu: kind %d, '%s'", i, (int)error.kind, error.text);
        }
    }
    kube_free(NULL);
}

static void test_kube__reports_a_missing_libcurl(void **state) {
    (void)state;
    struct kube_curl curl = {0};
    struct error error;
    assert_false(kube_curl_load("libcurl-missing.so.4", &curl, &error));
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
    assert_true(has(error.text, "package libcurl4"));
    assert_false(kube_curl_load("libc.so.6", &curl, &error));
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
    assert_string_equal(error.text, "'libc.so.6' has no curl_global_init");
    assert_null(curl.handle);
    kube_curl_unload(&curl);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube__sends_what_a_verb_means),
        cmocka_unit_test(test_kube__sends_a_large_body_at_once),
        cmocka_unit_test(test_kube__keeps_its_connection),
        cmocka_unit_test(test_kube__asks_again_where_a_kept_connection_was_closed),
        cmocka_unit_test(test_kube__puts_paths_below_the_path_of_the_server),
        cmocka_unit_test(test_kube__unpacks_compressed_answers),
        cmocka_unit_test(test_kube__accepts_an_answer_up_to_its_limit),
        cmocka_unit_test(test_kube__follows_no_redirect_and_no_proxy),
        cmocka_unit_test(test_kube__understands_an_ipv6_address),
        cmocka_unit_test(test_kube__notices_a_peer_that_vanished_silently),
        cmocka_unit_test(test_kube__sends_a_token),
        cmocka_unit_test(test_kube__says_what_it_cannot_start_with),
        cmocka_unit_test(test_kube__reports_a_missing_libcurl),
    };
    return cmocka_run_group_tests_name("edge/kube", tests, NULL, NULL);
}
