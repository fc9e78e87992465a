// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/admission/patch.h"

static void check(const struct patch *patch, const char *expected) {
    AUTO(buffer_fini) struct buffer out;
    struct json_write write;
    buffer_init(&out, 4096);
    json_write_begin(&write, &out);
    patch_write(patch, &write);
    assert_string_equal(buffer_text(&out), expected);
}

static void test_patch__is_empty_until_something_is_set(void **state) {
    (void)state;
    struct patch patch = {.has = {false}};
    assert_true(patch_is_empty(&patch));
    check(&patch, "[]");
    for (int path = 0; path < PATCH_PATH_COUNT; path++) {
        struct patch one = {.has = {false}};
        patch_set(&one, (enum patch_path)path, 0);
        assert_false(patch_is_empty(&one));
    }
}

static void test_patch__adds_at_each_path(void **state) {
    (void)state;
    static const struct {
        enum patch_path path;
        int64_t value;
        const char *expected;
    } rows[] = {
        {PATCH_REPLICAS, 1, "[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":1}]"},
        {PATCH_STRATEGY, 0,
         "[{\"op\":\"add\",\"path\":\"/spec/strategy\",\"value\":{\"type\":\"RollingUpdate\","
         "\"rollingUpdate\":{\"maxSurge\":0,\"maxUnavailable\":1}}}]"},
        {PATCH_ROLLING_UPDATE, 0,
         "[{\"op\":\"add\",\"path\":\"/spec/strategy/rollingUpdate\","
         "\"value\":{\"maxSurge\":0,\"maxUnavailable\":1}}]"},
        {PATCH_MAX_SURGE, 0,
         "[{\"op\":\"add\",\"path\":\"/spec/strategy/rollingUpdate/maxSurge\",\"value\":0}]"},
        {PATCH_MAX_UNAVAILABLE, 1,
         "[{\"op\":\"add\",\"path\":\"/spec/strategy/rollingUpdate/maxUnavailable\","
         "\"value\":1}]"},
        {PATCH_GRACE_PERIOD, 30,
         "[{\"op\":\"add\",\"path\":\"/spec/template/spec/terminationGracePeriodSeconds\","
         "\"value\":30}]"},
    };
    assert_int_equal(COUNT_OF(rows), PATCH_PATH_COUNT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct patch patch = {.has = {false}};
        patch_set(&patch, rows[i].path, rows[i].value);
        check(&patch, rows[i].expected);
    }
}

static void test_patch__writes_numbers_as_plain_digits(void **state) {
    (void)state;
    struct patch patch = {.has = {false}};
    patch_set(&patch, PATCH_REPLICAS, INT64_C(9007199254740993));
    check(&patch, "[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":9007199254740993}]");
    patch_set(&patch, PATCH_REPLICAS, INT64_MAX);
    check(&patch, "[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":9223372036854775807}]");
}

static void test_patch__set_twice_says_the_last_value_once(void **state) {
    (void)state;
    struct patch patch = {.has = {false}};
    patch_set(&patch, PATCH_REPLICAS, 3);
    patch_set(&patch, PATCH_REPLICAS, 1);
    check(&patch, "[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":1}]");
}

static void test_patch__has_one_order_whatever_was_set_first(void **state) {
    (void)state;
    static const char expected[] =
        "[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":0},"
        "{\"op\":\"add\",\"path\":\"/spec/strategy\",\"value\":{\"type\":\"RollingUpdate\","
        "\"rollingUpdate\":{\"maxSurge\":0,\"maxUnavailable\":1}}},"
        "{\"op\":\"add\",\"path\":\"/spec/strategy/rollingUpdate\","
        "\"value\":{\"maxSurge\":0,\"maxUnavailable\":1}},"
        "{\"op\":\"add\",\"path\":\"/spec/strategy/rollingUpdate/maxSurge\",\"value\":3},"
        "{\"op\":\"add\",\"path\":\"/spec/strategy/rollingUpdate/maxUnavailable\",\"value\":4},"
        "{\"op\":\"add\",\"path\":\"/spec/template/spec/terminationGracePeriodSeconds\","
        "\"value\":5}]";
    struct patch forward = {.has = {false}};
    struct patch backward = {.has = {false}};
    for (int path = 0; path < PATCH_PATH_COUNT; path++) {
        int last = PATCH_PATH_COUNT - 1 - path;
        patch_set(&forward, (enum patch_path)path, path);
        patch_set(&backward, (enum patch_path)last, last);
    }
    check(&forward, expected);
    check(&backward, expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patch__is_empty_until_something_is_set),
        cmocka_unit_test(test_patch__adds_at_each_path),
        cmocka_unit_test(test_patch__writes_numbers_as_plain_digits),
        cmocka_unit_test(test_patch__set_twice_says_the_last_value_once),
        cmocka_unit_test(test_patch__has_one_order_whatever_was_set_first),
    };
    return cmocka_run_group_tests_name("core/patch", tests, NULL, NULL);
}
