// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "companion/job.h"

static void test_refusals__each_sort_is_said_once_a_minute(void **state) {
    (void)state;
    static const struct {
        int64_t now_ms;
        const char *name;
        enum error_kind kind;
        const char *said; /* NULL: no line in the log */
    } rows[] = {
        {1000, "one", ERROR_DENIED, "name=one problem=\"it is so\" times=1 "},
        {1000, "two", ERROR_DENIED, NULL},
        {1001, "three", ERROR_UNAVAILABLE, "name=three problem=\"it is so\" times=1 "},
        {1002, "one", ERROR_INVALID, "name=one problem=\"it is so\" times=1 "},
        {60999, "three", ERROR_DENIED, NULL},
        {61000, "four", ERROR_DENIED, "name=four problem=\"it is so\" times=3 "},
        {61000, "five", ERROR_DENIED, NULL},
        {61000, "one", ERROR_UNAVAILABLE, NULL},
        {900000, "one", ERROR_UNAVAILABLE, "name=one problem=\"it is so\" times=2 "},
    };
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    struct log log = {.descriptor = ends[1], .format = LOG_FORMAT_TEXT};
    struct refusals refusals = {.event = "status.refused", .log = &log};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[1024];
        struct error problem;
        error_set(&problem, rows[i].kind, "it is so");
        refusals_log(&refusals, "default", rows[i].name, &problem, rows[i].now_ms);
        ssize_t size = read(ends[0], line, sizeof(line) - 1);
        line[size > 0 ? size : 0] = '\0';
        if (rows[i].said == NULL) {
            assert_string_equal(line, "");
        } else {
            const char *at = strstr(line, "WARN  status.refused namespace=default ");
            assert_non_null(at);
            assert_memory_equal(strstr(at, " name=") + 1, rows[i].said, strlen(rows[i].said));
        }
    }
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals__each_sort_is_said_once_a_minute),
    };
    return cmocka_run_group_tests_name("app/refusals", tests, NULL, NULL);
}
