// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/certificates/succession.h"

enum { DELAY_MS = 60000, HOUR_MS = 3600000 };

#define ENTRY_OF(service, name, policy)                                                            \
    "{\"name\":\"" name "\",\"failurePolicy\":\"" policy                                           \
    "\",\"clientConfig\":{\"service\":{\"namespace\":\"system\",\"name\":\"" service "\"}}}"
#define ENTRY(name, policy)    ENTRY_OF("capstan", name, policy)
#define URL                    "{\"name\":\"a\",\"clientConfig\":{\"url\":\"https://127.0.0.1/mutate\"}}"
#define CONFIGURATION(entries) "{\"webhooks\":[" entries "]}"
#define A                      CONFIGURATION(ENTRY("a", "Ignore"))

static size_t read(const char *json, struct registration *ret_registration) {
    struct error error;
    assert_true(registration_read(json, strlen(json), ret_registration, &error));
    return registration_keep_service(ret_registration, "system", "capstan");
}

/* One step, about these two configurations. */
static struct succession_order step(struct succession *succession, const char *former_json,
                                    const char *present_json, bool is_trusted, int64_t now_ms) {
    AUTO(registration_fini) struct registration former;
    AUTO(registration_fini) struct registration present;
    struct succession_order order;
    size_t n_foreign = read(former_json, &former);
    (void)read(present_json, &present);
    const struct succession_view view = {
        .former = &former, .n_foreign = n_foreign, .present = &present, .is_trusted = is_trusted};
    succession_step(succession, &view, DELAY_MS, now_ms, &order);
    return order;
}

static void test_succession__deletes_when_the_present_one_has_long_taken_over(void **state) {
    struct succession succession = {.is_taken_over = false};
    struct succession_order order;
    (void)state;
    order = step(&succession, A, A, true, 1000);
    assert_int_equal(order.verb, SUCCESSION_WAIT);
    assert_int_equal(order.at_ms, 1000 + DELAY_MS);
    assert_null(order.problem);
    order = step(&succession, A, A, true, 1000 + DELAY_MS - 1);
    assert_int_equal(order.verb, SUCCESSION_WAIT);
    assert_int_equal(order.at_ms, 1000 + DELAY_MS);
    order = step(&succession, A, A, true, 1000 + DELAY_MS);
    assert_int_equal(order.verb, SUCCESSION_DELETE);
}

static void test_succession__begins_anew_when_trust_or_an_answer_was_lost(void **state) {
    struct succession succession = {.is_taken_over = false};
    (void)state;
    for (int i = 0; i < 2; i++) {
        int64_t now_ms = i * HOUR_MS;
        assert_int_equal(step(&succession, A, A, true, now_ms).verb, SUCCESSION_WAIT);
        if (i == 0) {
            assert_int_equal(step(&succession, A, A, false, now_ms + 1).verb, SUCCESSION_WAIT);
        } else {
            (void)succession_fail(&succession, now_ms + 1);
        }
        assert_int_equal(step(&succession, A, A, true, now_ms + DELAY_MS).verb, SUCCESSION_WAIT);
        assert_int_equal(step(&succession, A, A, true, now_ms + 2 * DELAY_MS).verb,
                         SUCCESSION_DELETE);
        succession = (struct succession){.is_taken_over = false};
    }
}

/* However long it is asked. */
static void test_succession__never_deletes(void **state) {
    static const struct {
        const char *what;
        const char *former;
        const char *present;
        bool is_trusted;
        enum succession_verb verb;
        bool is_silent;
    } rows[] = {
        {"a URL", CONFIGURATION(URL), A, true, SUCCESSION_KEEP, true},
        {"another Service", CONFIGURATION(ENTRY_OF("other", "a", "Ignore")), A, true,
         SUCCESSION_KEEP, true},
        {"one of ours and one of others",
         CONFIGURATION(ENTRY("a", "Ignore") "," ENTRY_OF("other", "b", "Ignore")), A, true,
         SUCCESSION_KEEP, false},
        {"no entry", CONFIGURATION(""), A, true, SUCCESSION_KEEP, true},
        {"no list", "{}", A, true, SUCCESSION_KEEP, true},
        {"the present one is empty", A, CONFIGURATION(""), true, SUCCESSION_WAIT, false},
        {"the present one leads elsewhere", A, CONFIGURATION(URL), true, SUCCESSION_WAIT, false},
        {"the present one lacks an entry",
         CONFIGURATION(ENTRY("a", "Ignore") "," ENTRY("b", "Ignore")), A, true, SUCCESSION_WAIT,
         false},
        {"the present one is laxer", CONFIGURATION(ENTRY("a", "Fail")), A, true, SUCCESSION_WAIT,
         false},
        {"the present one is not trusted", A, A, false, SUCCESSION_WAIT, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct succession succession = {.is_taken_over = false};
        bool has_said = false;
        int64_t now_ms = 0;
        while (now_ms < 10 * (int64_t)HOUR_MS) {
            struct succession_order order =
                step(&succession, rows[i].former, rows[i].present, rows[i].is_trusted, now_ms);
            has_said = has_said || order.problem != NULL;
            if (order.verb != rows[i].verb || order.at_ms <= now_ms) {
                fail_msg("%s: verb %d", rows[i].what, (int)order.verb);
            }
            now_ms = order.at_ms;
        }
        if (has_said == rows[i].is_silent) {
            fail_msg("%s: the problem is %s said", rows[i].what, has_said ? "" : "never");
        }
    }
}

static void test_succession__a_stricter_present_one_takes_over(void **state) {
    struct succession succession = {.is_taken_over = false};
    static const char strict[] = CONFIGURATION(ENTRY("b", "Ignore") "," ENTRY("a", "Fail"));
    (void)state;
    (void)step(&succession, A, strict, true, 0);
    assert_int_equal(step(&succession, A, strict, true, DELAY_MS).verb, SUCCESSION_DELETE);
}

#define AUTOSCALERS(policy) ENTRY(REGISTRATION_AUTOSCALERS_NAME, policy)

/* That entry stays on Ignore, so a former one on Fail, which somebody set, is no reason to wait. */
static void test_succession__the_entry_for_autoscalers_may_be_laxer(void **state) {
    static const struct {
        const char *former;
        const char *present;
        enum succession_verb verb;
    } rows[] = {
        {CONFIGURATION(AUTOSCALERS("Fail")), CONFIGURATION(AUTOSCALERS("Ignore")),
         SUCCESSION_DELETE},
        {CONFIGURATION(ENTRY("a", "Fail") "," AUTOSCALERS("Fail")),
         CONFIGURATION(ENTRY("a", "Fail") "," AUTOSCALERS("Ignore")), SUCCESSION_DELETE},
        {CONFIGURATION(ENTRY("a", "Fail") "," AUTOSCALERS("Fail")),
         CONFIGURATION(ENTRY("a", "Ignore") "," AUTOSCALERS("Ignore")), SUCCESSION_WAIT},
        /* The former one has three entries, and the present one four. */
        {A, CONFIGURATION(ENTRY("a", "Ignore") "," AUTOSCALERS("Ignore")), SUCCESSION_DELETE},
        {CONFIGURATION(ENTRY("a", "Ignore") "," AUTOSCALERS("Fail")), A, SUCCESSION_WAIT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct succession succession = {.is_taken_over = false};
        (void)step(&succession, rows[i].former, rows[i].present, true, 0);
        enum succession_verb verb =
            step(&succession, rows[i].former, rows[i].present, true, DELAY_MS).verb;
        if (verb != rows[i].verb) {
            fail_msg("row %zu: verb %d", i, (int)verb);
        }
    }
}

/* In an installation the caBundle is written a moment after the first look. */
static void test_succession__says_a_delay_only_when_it_lasts(void **state) {
    struct succession succession = {.is_taken_over = false};
    struct succession_order order = {.at_ms = 0};
    int64_t now_ms = 0;
    (void)state;
    do {
        now_ms = order.at_ms;
        order = step(&succession, A, A, false, now_ms);
    } while (order.problem == NULL);
    assert_in_range(now_ms, 30000, 120000);
}

static void test_succession__waits_longer_after_each_failure(void **state) {
    struct succession succession = {.is_taken_over = false};
    int64_t at_ms = 0;
    (void)state;
    assert_int_equal(succession_fail(&succession, 0), 2000);
    assert_int_equal(succession_fail(&succession, 0), 4000);
    for (int i = 0; i < 20; i++) {
        at_ms = succession_fail(&succession, 0);
    }
    assert_int_equal(at_ms, 600000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_succession__deletes_when_the_present_one_has_long_taken_over),
        cmocka_unit_test(test_succession__begins_anew_when_trust_or_an_answer_was_lost),
        cmocka_unit_test(test_succession__never_deletes),
        cmocka_unit_test(test_succession__a_stricter_present_one_takes_over),
        cmocka_unit_test(test_succession__the_entry_for_autoscalers_may_be_laxer),
        cmocka_unit_test(test_succession__says_a_delay_only_when_it_lasts),
        cmocka_unit_test(test_succession__waits_longer_after_each_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
