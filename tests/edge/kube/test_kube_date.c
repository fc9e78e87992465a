// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/clock.h"
#include "kube/kube_date.h"
#include "kube_site.h"

#define RFC_S  INT64_C(784111777)  /* 1994-11-06T08:49:37Z */
#define NOW_S  INT64_C(1795341600) /* 2026-11-22T10:00:00Z */
#define NOW_AS "Sun, 22 Nov 2026 10:00:00 GMT"

static void test_kube_date__reads_the_three_formats(void **state) {
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", RFC_S},
        {"Sunday, 06-Nov-94 08:49:37 GMT", RFC_S},
        {"Sun Nov  6 08:49:37 1994", RFC_S},
        {"Sun Nov 16 08:49:37 1994", RFC_S + 10 * 86400},
        {NOW_AS, NOW_S},
        {"Sunday, 22-Nov-26 10:00:00 GMT", NOW_S},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Thursday, 01-Jan-76 00:00:00 GMT", INT64_C(3345062400)}, /* 50 years ahead: 2076 */
        {"Saturday, 01-Jan-77 00:00:00 GMT", 220924800},           /* 51 years ahead: 1977 */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t seconds = -1;
        if (!kube_date_read(rows[i].text, NOW_S, &seconds) || seconds != rows[i].seconds) {
            fail_msg("%s: %lld", rows[i].text, (long long)seconds);
        }
    }
}

static void test_kube_date__refuses_all_else(void **state) {
    static const char *const texts[] = {
        "",
        "now",
        "0",
        "1795341600",
        "2026-11-22T10:00:00Z",
        "Sun, 22 Nov 2026 10:00:00",
        "Sun, 22 Nov 2026 10:00:00 UTC",
        "Sun, 22 Nov 2026 10:00:00 GMT ",
        "Sun, 22 Nov 2026 10:00:00 GMT+1",
        " Sun, 22 Nov 2026 10:00:00 GMT",
        "Sun, 22 Nov 2026 10:00 GMT",
        "Sun, 22 Nov 2026 24:00:00 GMT",
        "Sun, 22 Nov 2026 10:60:00 GMT",
        "Sun, 22 Nov 2026 10:00:61 GMT",
        "Sun, 31 Nov 2026 10:00:00 GMT",
        "Sun, 00 Nov 2026 10:00:00 GMT",
        "Sun, 2 Nov 2026 10:00:00 GMT",
        "Sun, 22 nov 2026 10:00:00 GMT",
        "Sun, 22 Nov 26 10:00:00 GMT",
        "Sun, 22 Nov 02026 10:00:00 GMT",
        "Xyz, 22 Nov 2026 10:00:00 GMT",
        "Sun, 22-Nov-26 10:00:00 GMT",
        "Sunday, 22-Nov-2026 10:00:00 GMT",
        "Sunday, 22 Nov 2026 10:00:00 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  16 08:49:37 1994",
        "Sun Nov 16 08:49:37 94",
        "Sun, 22 Nov 2026",
        "Sun,",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t seconds;
        if (kube_date_read(texts[i], NOW_S, &seconds)) {
            fail_msg("'%s' is %lld", texts[i], (long long)seconds);
        }
    }
}

/* Asks once, and returns whether the server's time is known then. */
static bool ask(struct kube_site *site, const char *head, int64_t *ret_seconds) {
    struct kube_heard heard;
    AUTO_FREE char *text = kube_site_text(head, "{}");
    script_server_answer(site->server, "/a", 1, text);
    kube_site_ask(site, KUBE_GET, "/a", &heard);
    kube_heard_fini(&heard);
    return kube_server_wall_s(site->kube, clock_boot_ms(), ret_seconds);
}

static void test_kube__knows_the_clock_of_its_server(void **state) {
    static const struct {
        const char *head;
        bool is_news;
        int64_t seconds;
    } rows[] = {
        {"200 OK\r\nDate: yesterday", false, 0},
        {"200 OK\r\nDate: " NOW_AS, true, NOW_S},
        {"200 OK\r\ndate:Sun, 06 Nov 1994 08:49:37 GMT ", true, RFC_S},
        {"200 OK", false, 0},
        {"200 OK\r\nDate: garbage", false, 0},
        {"200 OK\r\nDate: ", false, 0},
        {"200 OK\r\nX-Date: " NOW_AS, false, 0},
        {"403 Forbidden\r\nDate: " NOW_AS, true, NOW_S},
        {"500 Oops\r\nDate: Sunday, 06-Nov-94 08:49:37 GMT", true, RFC_S},
    };
    struct kube_site site;
    int64_t known_s = 0;
    int64_t seconds = 0;
    (void)state;
    kube_site_open(&site);
    assert_false(kube_server_wall_s(site.kube, clock_boot_ms(), &seconds));
    assert_in_range(kube_wall_s(site.kube, clock_boot_ms()) - clock_wall_seconds() + 5, 0, 10);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool is_known = ask(&site, rows[i].head, &seconds);
        known_s = rows[i].is_news ? rows[i].seconds : known_s;
        if (is_known != (known_s != 0) || seconds < known_s || seconds > known_s + 30) {
            fail_msg("row %zu: %lld", i, (long long)seconds);
        }
    }
    int64_t later_s = 0;
    int64_t now_ms = clock_boot_ms();
    assert_true(kube_server_wall_s(site.kube, now_ms, &seconds));
    assert_true(kube_server_wall_s(site.kube, now_ms + 400000, &later_s));
    assert_int_equal(later_s, seconds + 400);
    assert_int_equal(kube_wall_s(site.kube, now_ms), seconds);
    kube_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_date__reads_the_three_formats),
        cmocka_unit_test(test_kube_date__refuses_all_else),
        cmocka_unit_test(test_kube__knows_the_clock_of_its_server),
    };
    return cmocka_run_group_tests_name("edge/kube_date", tests, NULL, NULL);
}
