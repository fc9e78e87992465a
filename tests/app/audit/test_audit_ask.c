// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/audit_ask.h"
#include "base/attribute.h"

#define FAILED(code, fault)                                                                        \
    {                                                                                              \
        .is_answered = true, .status = (code), .retry_after_ms = -1, .error = {.kind = (fault) }   \
    }

static void test_audit_ask__pauses_only_after_faults_that_may_pass(void **state) {
    static const struct {
        struct audit_reply reply;
        int64_t pause_ms;
    } rows[] = {
        {{.is_good = true, .status = 200, .retry_after_ms = -1}, -1},
        {FAILED(429, ERROR_UNAVAILABLE), 250},
        {FAILED(500, ERROR_UNAVAILABLE), 250},
        {FAILED(503, ERROR_UNAVAILABLE), 250},
        {FAILED(0, ERROR_UNAVAILABLE), 250},
        {FAILED(200, ERROR_UNAVAILABLE), 250},
        {FAILED(0, ERROR_TIMEOUT), -1},
        {FAILED(0, ERROR_DENIED), -1},
        {FAILED(0, ERROR_NOT_FOUND), -1},
        {FAILED(200, ERROR_TOO_LARGE), -1},
        {FAILED(302, ERROR_UNAVAILABLE), -1},
        {FAILED(400, ERROR_INVALID), -1},
        {FAILED(401, ERROR_DENIED), -1},
        {FAILED(403, ERROR_DENIED), -1},
        {FAILED(404, ERROR_UNAVAILABLE), -1},
        {FAILED(404, ERROR_NOT_FOUND), -1},
        {FAILED(410, ERROR_EXPIRED), -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct audit_patience patience;
        audit_patience_init(&patience);
        assert_int_equal(audit_patience_next(&patience, &rows[i].reply), rows[i].pause_ms);
    }
}

static void test_audit_ask__doubles_the_pause_and_tries_three_times_more(void **state) {
    const struct audit_reply reply = FAILED(500, ERROR_UNAVAILABLE);
    struct audit_patience patience;
    (void)state;
    audit_patience_init(&patience);
    assert_int_equal(audit_patience_next(&patience, &reply), 250);
    assert_int_equal(audit_patience_next(&patience, &reply), 500);
    assert_int_equal(audit_patience_next(&patience, &reply), 1000);
    assert_int_equal(audit_patience_next(&patience, &reply), -1);
}

static void test_audit_ask__keeps_to_retry_after_for_ten_seconds_in_all(void **state) {
    static const struct {
        int64_t retry_after_ms;
        int64_t first_ms;
        int64_t second_ms;
    } rows[] = {
        {0, 250, 500},    {1000, 1000, 1000}, {5000, 5000, 5000}, {5001, 5001, -1},
        {9000, 9000, -1}, {10000, 10000, -1}, {10001, -1, -1},    {INT64_MAX, -1, -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct audit_reply reply = FAILED(429, ERROR_UNAVAILABLE);
        struct audit_patience patience;
        audit_patience_init(&patience);
        reply.retry_after_ms = rows[i].retry_after_ms;
        assert_int_equal(audit_patience_next(&patience, &reply), rows[i].first_ms);
        assert_int_equal(audit_patience_next(&patience, &reply), rows[i].second_ms);
    }
}

static void test_audit_ask__fewer_objects_help_only_if_they_were_too_many(void **state) {
    static const struct {
        struct audit_reply reply;
        bool is_too_large;
    } rows[] = {
        {{.is_good = true, .status = 200}, false}, {FAILED(200, ERROR_TOO_LARGE), true},
        {FAILED(0, ERROR_TIMEOUT), true},          {FAILED(200, ERROR_TIMEOUT), true},
        {FAILED(0, ERROR_UNAVAILABLE), false},     {FAILED(500, ERROR_UNAVAILABLE), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(audit_reply_is_too_large(&rows[i].reply), rows[i].is_too_large);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audit_ask__pauses_only_after_faults_that_may_pass),
        cmocka_unit_test(test_audit_ask__doubles_the_pause_and_tries_three_times_more),
        cmocka_unit_test(test_audit_ask__keeps_to_retry_after_for_ten_seconds_in_all),
        cmocka_unit_test(test_audit_ask__fewer_objects_help_only_if_they_were_too_many),
    };
    return cmocka_run_group_tests_name("app/audit_ask", tests, NULL, NULL);
}
