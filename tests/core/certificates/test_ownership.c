// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/certificates/ownership.h"

#define ENTRY_OF(service)                                                                          \
    "{\"name\":\"a\",\"clientConfig\":{\"service\":{\"namespace\":\"system\",\"name\":\"" service  \
    "\"}}}"
#define ENTRY "[" ENTRY_OF("capstan") "]"
#define CONFIGURATION(metadata, webhooks)                                                          \
    "{\"metadata\":{\"uid\":\"c-1\"" metadata "},\"webhooks\":" webhooks "}"
#define OWNERS(owners)  ",\"ownerReferences\":" owners
#define OWNER(kind, id) "{\"apiVersion\":\"v1\",\"kind\":\"" kind "\",\"uid\":\"" id "\"}"

static const struct ownership_namespace our_namespace = {.name = "system", .uid = "n-1"};

static void test_ownership__reads_the_uid_of_the_namespace(void **state) {
    static const char good[] = "{\"kind\":\"Namespace\",\"metadata\":{\"uid\":\"n-1\"}}";
    static const char *const bad[] = {"{}", "[]", "{\"metadata\":{\"uid\":7}}",
                                      "{\"metadata\":{\"uid\":\"\"}}", "{"};
    struct ownership_namespace namespace = {.name = "system"};
    struct error error;
    (void)state;
    assert_true(ownership_read_namespace(good, sizeof(good) - 1, &namespace, &error));
    assert_string_equal(namespace.uid, "n-1");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (ownership_read_namespace(bad[i], strlen(bad[i]), &namespace, &error)) {
            fail_msg("%s", bad[i]);
        }
        assert_string_equal(namespace.uid, "");
    }
}

static void test_ownership__writes_only_if_it_is_ours_alone_and_not_owned(void **state) {
    static const struct {
        const char *json;
        bool is_due;
    } rows[] = {
        {CONFIGURATION("", ENTRY), true},
        {CONFIGURATION(OWNERS("[]"), ENTRY), true},
        {CONFIGURATION(OWNERS("null"), ENTRY), true},
        {CONFIGURATION(OWNERS("7"), ENTRY), true},
        {CONFIGURATION(OWNERS("[{},7," OWNER("Deployment", "d-1") "]"), ENTRY), true},
        /* A Namespace of the same name that was there before. */
        {CONFIGURATION(OWNERS("[" OWNER("Namespace", "n-0") "]"), ENTRY), true},
        {CONFIGURATION(OWNERS("[" OWNER("Namespace", "n-1") "]") OWNERS("[]"), ENTRY), true},
        {CONFIGURATION(OWNERS("[" OWNER("Namespace", "n-1") "]"), ENTRY), false},
        {CONFIGURATION(OWNERS("[" OWNER("Deployment", "d-1") "," OWNER("Namespace", "n-1") "]"),
                       ENTRY),
         false},
        {CONFIGURATION("", "[]"), false},
        {CONFIGURATION("", "null"), false},
        {CONFIGURATION("", "[" ENTRY_OF("other") "]"), false},
        {CONFIGURATION("", "[" ENTRY_OF("capstan") "," ENTRY_OF("other") "]"), false},
        {CONFIGURATION("", "[{\"clientConfig\":{\"url\":\"https://127.0.0.1/mutate\"}}]"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ownership ownership = {0};
        struct ownership_view view;
        struct error error;
        int64_t at_ms = 0;
        assert_true(ownership_read(rows[i].json, strlen(rows[i].json), &our_namespace, "capstan",
                                   &view, &error));
        assert_string_equal(view.uid, "c-1");
        if (ownership_step(&ownership, &view, 1000, &at_ms) != rows[i].is_due) {
            fail_msg("%s", rows[i].json);
        }
        assert_in_range(at_ms, 1000 + 60000, 1000 + 600000);
    }
}

static void test_ownership__a_namespace_without_uid_owns_nothing(void **state) {
    static const char json[] = CONFIGURATION(OWNERS("[{}," OWNER("Namespace", "") "]"), ENTRY);
    const struct ownership_namespace unknown = {.name = "system"};
    struct ownership_view view;
    struct error error;
    (void)state;
    assert_true(ownership_read(json, sizeof(json) - 1, &unknown, "capstan", &view, &error));
    assert_true(view.is_ours);
    assert_false(view.is_owned);
}

static void test_ownership__refuses_what_is_no_configuration(void **state) {
    static const char *const bad[] = {"", "[]", "{\"metadata\":", "7"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct ownership_view view;
        struct error error;
        assert_false(
            ownership_read(bad[i], strlen(bad[i]), &our_namespace, "capstan", &view, &error));
    }
}

static void test_ownership__applies_the_owner_and_nothing_else(void **state) {
    AUTO(buffer_fini) struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    ownership_write(&our_namespace, "zz-capstan", "c-1", &out);
    assert_string_equal(
        buffer_text(&out),
        "{\"apiVersion\":\"admissionregistration.k8s.io/v1\","
        "\"kind\":\"MutatingWebhookConfiguration\",\"metadata\":{\"name\":\"zz-capstan\","
        "\"uid\":\"c-1\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
        "\"name\":\"system\",\"uid\":\"n-1\",\"blockOwnerDeletion\":false}]}}");
}

static void test_ownership__waits_longer_after_each_failure_and_is_overdue_in_the_end(
    void **state) {
    const struct ownership_view good = {.is_ours = true, .is_owned = true};
    struct ownership ownership = {0};
    bool is_overdue = true;
    int64_t before_ms = 0;
    int64_t at_ms;
    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t wait_ms = ownership_fail(&ownership, 1000, &is_overdue) - 1000;
        assert_in_range(wait_ms, before_ms, 300000);
        assert_int_equal(is_overdue, wait_ms >= 60000);
        before_ms = wait_ms;
    }
    assert_int_equal(before_ms, 300000);
    assert_false(ownership_step(&ownership, &good, 1000, &at_ms));
    assert_int_equal(ownership_fail(&ownership, 1000, &is_overdue), 1000 + 2000);
    assert_false(is_overdue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ownership__reads_the_uid_of_the_namespace),
        cmocka_unit_test(test_ownership__writes_only_if_it_is_ours_alone_and_not_owned),
        cmocka_unit_test(test_ownership__a_namespace_without_uid_owns_nothing),
        cmocka_unit_test(test_ownership__refuses_what_is_no_configuration),
        cmocka_unit_test(test_ownership__applies_the_owner_and_nothing_else),
        cmocka_unit_test(test_ownership__waits_longer_after_each_failure_and_is_overdue_in_the_end),
    };
    return cmocka_run_group_tests_name("ownership", tests, NULL, NULL);
}
