// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kube/kube_incoming.h"
#include "kube_site.h"

#define WATCH_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKS_END "0\r\n\r\n"

static struct kube_incoming begin_stream(size_t answer_max, struct kube_heard *heard) {
    struct kube_incoming incoming;
    static struct kube_request request;
    request = kube_site_request(KUBE_WATCH, "/w", heard);
    request.answer_max = answer_max;
    kube_incoming_init(&incoming, &request);
    incoming.status = 200;
    return incoming;
}

static void test_kube_watch__finds_lines_wherever_the_bytes_are_split(void **state) {
    (void)state;
    static const char bytes[] =
        "{\"a\":1}\n\n{\"b\":\"\xc3\xa9\"}\r\n\n\nlong line of words\nx\nno end";
    static const char lines[] = "{\"a\":1}\n{\"b\":\"\xc3\xa9\"}\r\nlong line of words\nx\n";
    size_t size = sizeof(bytes) - 1;
    for (size_t first = 0; first <= size; first++) {
        for (size_t second = first; second <= size; second++) {
            struct kube_heard heard;
            struct kube_incoming incoming = begin_stream(100, &heard);
            assert_true(kube_incoming_add(&incoming, bytes, first));
            assert_true(kube_incoming_add(&incoming, bytes + first, second - first));
            assert_true(kube_incoming_add(&incoming, bytes + second, size - second));
            assert_string_equal(buffer_text(&heard.lines), lines);
            assert_int_equal(heard.n_lines, 4);
            buffer_fini(&incoming.bytes);
            kube_heard_fini(&heard);
        }
    }
    struct kube_heard heard;
    struct kube_incoming incoming = begin_stream(100, &heard);
    for (size_t i = 0; i < size; i++) {
        assert_true(kube_incoming_add(&incoming, bytes + i, 1));
    }
    assert_string_equal(buffer_text(&heard.lines), lines);
    buffer_fini(&incoming.bytes);
    kube_heard_fini(&heard);
}

static void test_kube_watch__accepts_a_line_up_to_its_limit(void **state) {
    (void)state;
    enum { MAX = 10 };
    for (size_t size = MAX; size <= MAX + 1; size++) {
        for (size_t split = 0; split <= size + 1; split++) {
            struct kube_heard heard;
            char bytes[] = "a\n0123456789x\n";
            bytes[2 + size] = '\n';
            struct kube_incoming incoming = begin_stream(MAX, &heard);
            bool is_taken = kube_incoming_add(&incoming, bytes, 2 + split) &&
                            kube_incoming_add(&incoming, bytes + 2 + split, size + 1 - split);
            assert_int_equal(is_taken, size == MAX);
            assert_int_equal(incoming.is_too_large, size > MAX);
            assert_string_equal(buffer_text(&heard.lines), size == MAX ? "a\n0123456789\n" : "a\n");
            buffer_fini(&incoming.bytes);
            kube_heard_fini(&heard);
        }
    }
}

static void test_kube_watch__keeps_no_memory_of_a_large_line(void **state) {
    (void)state;
    enum { SIZE = 1024 * 1024 };
    struct kube_heard heard;
    struct kube_incoming incoming = begin_stream(SIZE, &heard);
    AUTO_FREE char *bytes = memory_new(SIZE, 1);
    memset(bytes, 'x', SIZE);
    assert_true(kube_incoming_add(&incoming, bytes, SIZE));
    assert_true(kube_incoming_add(&incoming, "\n", 1));
    assert_int_equal(heard.lines.size, SIZE + 1);
    assert_true(incoming.bytes.capacity <= 64 * 1024);
    assert_true(kube_incoming_add(&incoming, "a\n", 2));
    assert_int_equal(heard.n_lines, 2);
    buffer_fini(&incoming.bytes);
    kube_heard_fini(&heard);
}

static void test_kube_watch__receives_lines_as_they_come(void **state) {
    (void)state;
    static const struct script_step steps[] = {
        {SCRIPT_SEND, WATCH_HEAD "8\r\n{\"a\":1}\n\r\n", 0, 0}, {SCRIPT_WAIT, NULL, 0, 0},
        {SCRIPT_SEND, "c\r\n{\"b\":2}\n{\"c\"\r\n", 0, 0},      {SCRIPT_WAIT, NULL, 0, 0},
        {SCRIPT_SEND, "4\r\n:3}\n\r\n" CHUNKS_END, 0, 0},
    };
    struct kube_site site;
    struct kube_heard heard;
    kube_site_open(&site);
    script_server_play(site.server, "/w", 1, steps, COUNT_OF(steps));
    struct kube_request request = kube_site_request(KUBE_WATCH, "/w?watch=1", &heard);
    kube_site_begin(&site, &request, &heard);
    KUBE_SITE_UNTIL(&site, heard.n_lines == 1);
    assert_string_equal(buffer_text(&heard.lines), "{\"a\":1}\n");
    script_server_release(site.server);
    KUBE_SITE_UNTIL(&site, heard.n_lines == 2);
    assert_int_equal(heard.n_done, 0);
    script_server_release(site.server);
    kube_site_finish(&site, &heard);
    assert_true(heard.is_good);
    assert_int_equal(heard.status, 200);
    assert_null(heard.body);
    assert_string_equal(buffer_text(&heard.lines), "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube_watch__joins_lines_that_come_byte_by_byte(void **state) {
    (void)state;
    static const struct script_step steps[] = {
        {SCRIPT_DRIP, WATCH_HEAD "8\r\n{\"a\":1}\n\r\n3\r\n{\"b\r\n5\r\n\":2}\n\r\n" CHUNKS_END, 0,
         0},
    };
    struct kube_site site;
    struct kube_heard heard;
    kube_site_open(&site);
    script_server_play(site.server, "/w", 1, steps, COUNT_OF(steps));
    kube_site_ask(&site, KUBE_WATCH, "/w", &heard);
    assert_true(heard.is_good);
    assert_string_equal(buffer_text(&heard.lines), "{\"a\":1}\n{\"b\":2}\n");
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube_watch__is_good_if_it_ends_as_announced(void **state) {
    (void)state;
    static const struct {
        const char *name;
        struct script_step steps[2];
        bool is_good;
        unsigned n_lines;
    } rows[] = {
        {"no bytes at all", {{SCRIPT_SEND, WATCH_HEAD CHUNKS_END, 0, 0}}, true, 0},
        {"a last line without an end",
         {{SCRIPT_SEND, WATCH_HEAD "3\r\na\nb\r\n" CHUNKS_END, 0, 0}},
         true,
         1},
        {"without length and chunks",
         {{SCRIPT_SEND, "HTTP/1.1 200 OK\r\n\r\na\nb\n", 0, 0}, {SCRIPT_CLOSE, NULL, 0, 0}},
         true,
         2},
        {"no content", {{SCRIPT_SEND, "HTTP/1.1 204 No Content\r\n\r\n", 0, 0}}, true, 0},
        {"cut off in a line",
         {{SCRIPT_SEND, WATCH_HEAD "4\r\na\nb", 0, 0}, {SCRIPT_CLOSE, NULL, 0, 0}},
         false,
         1},
        {"cut off between chunks",
         {{SCRIPT_SEND, WATCH_HEAD "2\r\na\n\r\n", 0, 0}, {SCRIPT_CLOSE, NULL, 0, 0}},
         false,
         1},
    };
    struct kube_site site;
    kube_site_open(&site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_heard heard;
        size_t n_steps = rows[i].steps[1].what == SCRIPT_CLOSE ? 2 : 1;
        script_server_play(site.server, "/w", 1, rows[i].steps, n_steps);
        kube_site_ask(&site, KUBE_WATCH, "/w", &heard);
        if (heard.is_good != rows[i].is_good || heard.n_lines != rows[i].n_lines) {
            fail_msg("%s: good %d, %u lines", rows[i].name, heard.is_good, heard.n_lines);
        }
        if (!heard.is_good) {
            assert_int_equal(heard.status, 200);
            assert_int_equal(heard.error.kind, ERROR_UNAVAILABLE);
            assert_non_null(strstr(heard.error.text, "WATCH /w: 200: the answer broke off: "));
        }
        kube_heard_fini(&heard);
    }
    kube_site_stop(&site);
}

static void test_kube_watch__reports_a_line_past_the_limit(void **state) {
    (void)state;
    struct kube_site site;
    kube_site_open(&site);
    script_server_answer(site.server, "/w", 2, WATCH_HEAD "e\r\na\n0123456789\nb\r\n" CHUNKS_END);
    for (size_t max = 9; max <= 10; max++) {
        struct kube_heard heard;
        struct kube_request request = kube_site_request(KUBE_WATCH, "/w", &heard);
        request.answer_max = max;
        kube_site_begin(&site, &request, &heard);
        kube_site_finish(&site, &heard);
        assert_int_equal(heard.is_good, max == 10);
        assert_int_equal(heard.n_lines, max == 10 ? 2 : 1);
        if (max == 9) {
            assert_int_equal(heard.error.kind, ERROR_TOO_LARGE);
            assert_string_equal(heard.error.text, "WATCH /w: a line is larger than 9 bytes");
        }
        kube_heard_fini(&heard);
    }
    kube_site_stop(&site);
}

static void test_kube_watch__can_be_cancelled_by_a_line(void **state) {
    (void)state;
    static const struct script_step steps[] = {
        {SCRIPT_SEND, WATCH_HEAD "8\r\na\nb\nc\nd\n\r\n", 0, 0},
        {SCRIPT_HANG, NULL, 0, 0},
    };
    struct kube_site site;
    struct kube_heard heard;
    struct kube_heard other;
    kube_site_open(&site);
    script_server_play(site.server, "/w", 1, steps, COUNT_OF(steps));
    script_server_answer(site.server, "/a", 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct kube_request request = kube_site_request(KUBE_WATCH, "/w", &heard);
    heard.cancel_at_line = 2;
    kube_site_begin(&site, &request, &heard);
    KUBE_SITE_UNTIL(&site, heard.n_lines > 0);
    kube_site_ask(&site, KUBE_GET, "/a", &other);
    assert_true(other.is_good);
    assert_int_equal(heard.n_lines, 2);
    assert_int_equal(heard.n_done, 0);
    kube_heard_fini(&heard);
    kube_heard_fini(&other);
    kube_site_stop(&site);
}

static void test_kube_watch__receives_a_line_of_20_mb(void **state) {
    (void)state;
    enum { SIZE = 20 * 1024 * 1024 };
    AUTO_FREE char *line = memory_new(SIZE + 2, 1);
    memset(line, 'x', SIZE);
    line[SIZE] = '\n';
    AUTO_FREE char *text = kube_site_text("200 OK", line);
    struct kube_site site;
    struct kube_heard heard;
    kube_site_open(&site);
    script_server_answer(site.server, "/w", 1, text);
    struct kube_request request = kube_site_request(KUBE_WATCH, "/w", &heard);
    request.answer_max = SIZE;
    kube_site_begin(&site, &request, &heard);
    kube_site_finish(&site, &heard);
    assert_true(heard.is_good);
    assert_int_equal(heard.n_lines, 1);
    assert_int_equal(heard.lines.size, SIZE + 1);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_watch__finds_lines_wherever_the_bytes_are_split),
        cmocka_unit_test(test_kube_watch__accepts_a_line_up_to_its_limit),
        cmocka_unit_test(test_kube_watch__keeps_no_memory_of_a_large_line),
        cmocka_unit_test(test_kube_watch__receives_lines_as_they_come),
        cmocka_unit_test(test_kube_watch__joins_lines_that_come_byte_by_byte),
        cmocka_unit_test(test_kube_watch__is_good_if_it_ends_as_announced),
        cmocka_unit_test(test_kube_watch__reports_a_line_past_the_limit),
        cmocka_unit_test(test_kube_watch__can_be_cancelled_by_a_line),
        cmocka_unit_test(test_kube_watch__receives_a_line_of_20_mb),
    };
    return cmocka_run_group_tests_name("edge/kube_watch", tests, NULL, NULL);
}
