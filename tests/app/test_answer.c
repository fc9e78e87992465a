// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"
#include "base/attribute.h"

#define ONE "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"one\"}}"

static void test_answer__counts_only_if_it_shows_the_object(void **state) {
    static const struct {
        bool is_good;
        const char *body;
        bool shows;
        bool shows_deletion;
    } rows[] = {
        {true, ONE, true, true},
        {false, ONE, false, false},
        {true, "", false, false},
        {true, "{}", false, false},
        {true, "null", false, false},
        {true, "[" ONE "]", false, false},
        {true, ONE "x", false, false},
        {true, "<html>please log in</html>", false, false},
        {true, "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"two\"}}", false, false},
        {true, "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"one\"}}", false, false},
        {true, "{\"kind\":\"Secret\"}", false, false},
        {true, "{\"kind\":\"Status\",\"status\":\"Success\"}", false, true},
        {true, "{\"kind\":\"Status\",\"status\":\"Failure\"}", false, false},
        {true, "{\"status\":\"Success\"}", false, false},
        {false, "{\"kind\":\"Status\",\"status\":\"Success\"}", false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct kube_answer answer = {
            .is_good = rows[i].is_good, .body = rows[i].body, .body_size = strlen(rows[i].body)};
        if (answer_shows(&answer, "Secret", "one") != rows[i].shows ||
            answer_shows_deletion(&answer, "Secret", "one") != rows[i].shows_deletion) {
            fail_msg("row %zu: %s", i, rows[i].body);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer__counts_only_if_it_shows_the_object),
    };
    return cmocka_run_group_tests_name("app/answer", tests, NULL, NULL);
}
