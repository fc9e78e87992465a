// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/deference.h"

#define NOW  INT64_C(777000000)
#define WALL INT64_C(1795341600)

enum { SECOND = 1000, MINUTE = 60 * SECOND };

/* A sight of an MCPServer, and how long before NOW it was. */
enum look { NONE, SEEN, LISTED };

struct row {
    const char *name;
    enum look look;
    int64_t ago_ms; /* of the look; of LISTED: since the write that the list tells of */
    bool has_others;
    bool has_condition;
    bool is_touched;
    int64_t since_ms; /* how long before NOW the write was due */
    int64_t wait_ms;  /* from NOW on; 0 or less: it begins now */
};

static int64_t wait_of(const struct row *row) {
    struct deference deference = {0};
    const struct fact server = {
        .others_wrote = row->has_others ? (uint32_t)(WALL - row->ago_ms / SECOND) : 0,
        .others_condition = row->has_condition,
        .is_touched = row->is_touched,
    };
    if (row->look == SEEN) {
        deference_see(&deference, &server, NOW - row->ago_ms);
    } else if (row->look == LISTED) {
        deference_recall(&deference, &server, WALL, NOW);
    }
    return deference_until_ms(&deference, NOW - row->since_ms, NOW) - NOW;
}

static void test_deference__waits_only_for_an_operator_and_only_while_it_works(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"nobody was seen", NONE, 0, false, false, false, 0, 0},
        {"only Capstan writes statuses", SEEN, 0, false, false, true, 0, 0},
        {"only Capstan does, by a list", LISTED, 0, false, false, false, 0, 0},
        {"an edit of a spec is none of its writes", SEEN, 0, true, true, false, 0, 0},
        {"it wrote now", SEEN, 0, true, true, true, 0, 2 * SECOND},
        {"it wrote long before the edit", SEEN, MINUTE, true, true, true, 0, 2 * SECOND},
        {"it wrote after the edit", SEEN, 500, true, true, true, 1900, 1500},
        {"it is idle for 1999 ms", SEEN, 1999, true, true, true, 5 * SECOND, 1},
        {"it is idle for 2000 ms", SEEN, 2000, true, true, true, 5 * SECOND, 0},
        {"it works since 29999 ms", SEEN, 0, true, true, true, 29999, 1},
        {"it works since 30000 ms", SEEN, 0, true, true, true, 30000, 0},
        {"it works since 28 s", SEEN, 0, true, true, true, 28 * SECOND, 2 * SECOND},
        {"it wrote almost ten minutes ago", SEEN, 10 * MINUTE - 1, true, true, true, 0, 2 * SECOND},
        {"it wrote ten minutes ago", SEEN, 10 * MINUTE, true, true, true, 0, 0},
        {"an old one wrote now", SEEN, 0, true, false, true, 0, 2 * SECOND},
        {"an old one works on", SEEN, 0, true, false, true, 1999, 1},
        {"an old one works on after 2 s", SEEN, 0, true, false, true, 2000, 0},
        {"a list tells of a write", LISTED, MINUTE, true, true, false, 0, 2 * SECOND},
        {"a list tells of a write just now", LISTED, SECOND, true, true, false, 2 * SECOND, SECOND},
        {"a list tells of an old write", LISTED, 10 * MINUTE - SECOND, true, true, false, 0,
         2 * SECOND},
        {"a list tells of an older write", LISTED, 10 * MINUTE, true, true, false, 0, 0},
        {"a list tells of the future", LISTED, -MINUTE, true, true, false, 0, 2 * SECOND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t wait_ms = MAX(wait_of(&rows[i]), 0);
        if (wait_ms != rows[i].wait_ms) {
            fail_msg("%s: %" PRId64 " ms, not %" PRId64, rows[i].name, wait_ms, rows[i].wait_ms);
        }
    }
}

/* A later look never makes an operator older. */
static void test_deference__remembers_the_latest_write(void **state) {
    (void)state;
    struct deference deference = {0};
    const struct fact server = {
        .others_wrote = (uint32_t)(WALL - 60), .others_condition = true, .is_touched = true};
    deference_see(&deference, &server, NOW);
    deference_recall(&deference, &server, WALL, NOW);
    assert_true(deference_until_ms(&deference, NOW - 5 * SECOND, NOW) == NOW + 2 * SECOND);
    const struct fact old = {.others_wrote = 1, .is_touched = true};
    deference_see(&deference, &old, NOW + SECOND);
    assert_true(deference_until_ms(&deference, NOW, NOW) == NOW + 3 * SECOND);
    /* The one that writes the conditions is gone for ten minutes; the other is still there. */
    int64_t later_ms = NOW + 10 * MINUTE;
    assert_true(deference_until_ms(&deference, later_ms, later_ms) == later_ms + 2 * SECOND);
    later_ms += SECOND;
    assert_true(deference_until_ms(&deference, later_ms, later_ms) == later_ms);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deference__waits_only_for_an_operator_and_only_while_it_works),
        cmocka_unit_test(test_deference__remembers_the_latest_write),
    };
    return cmocka_run_group_tests_name("core/deference", tests, NULL, NULL);
}
