// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/certificates/registration.h"

/* "old" and "new" in base64. */
#define OLD "b2xk"
#define NEW "bmV3"

static const char configuration[] =
    "{\"webhooks\":["
    "{\"name\":\"a.b.c\",\"failurePolicy\":\"Ignore\",\"clientConfig\":{\"service\":{},"
    "\"caBundle\":\"" OLD "\"}},"
    "{\"clientConfig\":{\"caBundle\":\"" NEW "\"},\"failurePolicy\":\"Fail\",\"name\":\"d.e.f\"},"
    "{\"name\":\"g.h.i\",\"clientConfig\":{\"caBundle\":\"*\"}}]}";

static void read(const char *json, struct registration *ret_registration) {
    struct error error;
    assert_true(registration_read(json, strlen(json), ret_registration, &error));
}

static void test_registration__reads_names_bundles_and_policies(void **state) {
    AUTO(registration_fini) struct registration registration;
    (void)state;
    read(configuration, &registration);
    assert_int_equal(registration.n_entries, 3);
    assert_string_equal(registration.entries[0].name, "a.b.c");
    assert_string_equal(registration.entries[0].bundle_pem, "old");
    assert_false(registration.entries[0].fails);
    assert_string_equal(registration.entries[1].name, "d.e.f");
    assert_string_equal(registration.entries[1].bundle_pem, "new");
    assert_true(registration.entries[1].fails);
    /* An entry that is not base64 counts as none. */
    assert_string_equal(registration.entries[2].bundle_pem, "");
}

static void test_registration__reads_what_a_deletion_is_bound_to(void **state) {
    static const char *const orders[] = {
        "{\"metadata\":{\"uid\":\"u-1\",\"resourceVersion\":\"7\"},\"webhooks\":[{}]}",
        "{\"webhooks\":[{}],\"metadata\":{\"resourceVersion\":\"7\",\"uid\":\"u-1\"}}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        AUTO(registration_fini) struct registration registration;
        read(orders[i], &registration);
        assert_string_equal(registration.uid, "u-1");
        assert_string_equal(registration.resource_version, "7");
        assert_int_equal(registration.n_entries, 1);
    }
}

static void test_registration__patches_what_differs_and_tests_the_name_first(void **state) {
    AUTO(registration_fini) struct registration registration;
    AUTO(buffer_fini) struct buffer patch;
    (void)state;
    read(configuration, &registration);
    buffer_init(&patch, 4096);
    assert_false(registration_is_as(&registration, "new", false));
    registration_write_patch(&registration, "new", false, &patch);
    assert_string_equal(
        buffer_text(&patch),
        "[{\"op\":\"test\",\"path\":\"/webhooks/0/name\",\"value\":\"a.b.c\"},"
        "{\"op\":\"add\",\"path\":\"/webhooks/0/clientConfig/caBundle\",\"value\":\"" NEW "\"},"
        "{\"op\":\"test\",\"path\":\"/webhooks/2/name\",\"value\":\"g.h.i\"},"
        "{\"op\":\"add\",\"path\":\"/webhooks/2/clientConfig/caBundle\",\"value\":\"" NEW "\"}]");
}

static void test_registration__leaves_the_entries_of_other_services_alone(void **state) {
    static const char mixed[] =
        "{\"webhooks\":["
        "{\"name\":\"namespace\",\"clientConfig\":{\"service\":{\"namespace\":\"other\","
        "\"name\":\"capstan\"},\"caBundle\":\"" OLD "\"}},"
        "{\"name\":\"ours\",\"clientConfig\":{\"caBundle\":\"" OLD "\","
        "\"service\":{\"name\":\"capstan\",\"port\":443,\"namespace\":\"system\"}}},"
        "{\"name\":\"name\",\"clientConfig\":{\"service\":{\"namespace\":\"system\","
        "\"name\":\"capstan-2\"}}},"
        "{\"name\":\"url\",\"clientConfig\":{\"url\":\"https://x\"}}]}";
    AUTO(registration_fini) struct registration registration;
    AUTO(buffer_fini) struct buffer patch;
    (void)state;
    read(mixed, &registration);
    assert_int_equal(registration.n_entries, 4);
    assert_int_equal(registration_keep_service(&registration, "system", "capstan"), 3);
    assert_int_equal(registration.n_entries, 1);
    assert_true(registration_is_as(&registration, "old", false));
    buffer_init(&patch, 4096);
    registration_write_patch(&registration, "new", false, &patch);
    assert_string_equal(
        buffer_text(&patch),
        "[{\"op\":\"test\",\"path\":\"/webhooks/1/name\",\"value\":\"ours\"},"
        "{\"op\":\"add\",\"path\":\"/webhooks/1/clientConfig/caBundle\",\"value\":\"" NEW "\"}]");
}

static void test_registration__sets_the_policy_only_where_it_is_asked_to(void **state) {
    static const char one[] = "{\"webhooks\":[{\"name\":\"a\",\"failurePolicy\":\"Ignore\","
                              "\"clientConfig\":{\"caBundle\":\"" NEW "\"}}]}";
    AUTO(registration_fini) struct registration registration;
    AUTO(buffer_fini) struct buffer patch;
    (void)state;
    read(one, &registration);
    buffer_init(&patch, 4096);
    assert_true(registration_is_as(&registration, "new", false));
    registration_write_patch(&registration, "new", false, &patch);
    assert_string_equal(buffer_text(&patch), "[]");
    assert_false(registration_is_as(&registration, "new", true));
    buffer_clear(&patch);
    registration_write_patch(&registration, "new", true, &patch);
    assert_non_null(strstr(buffer_text(&patch), "{\"op\":\"add\",\"path\":\"/webhooks/0/"
                                                "failurePolicy\",\"value\":\"Fail\"}"));
}

/* An upgrade adds the fourth entry; somebody's own configuration may do without it. */
static void test_registration__never_lets_the_entry_for_autoscalers_fail(void **state) {
#define ENTRY(name, bundle)                                                                        \
    "{\"name\":\"" name "\",\"failurePolicy\":\"Ignore\",\"clientConfig\":{\"caBundle\":\"" bundle \
    "\"}}"
    static const struct {
        const char *entries;
        size_t n_failing;
        bool has_bundle_written;
        bool is_as;
    } rows[] = {
        {ENTRY("mcpservers.capstan.dev", NEW), 1, true, false},
        {ENTRY("mcpservers.capstan.dev", NEW) "," ENTRY(REGISTRATION_AUTOSCALERS_NAME, NEW), 1,
         true, false},
        {ENTRY("mcpservers.capstan.dev", NEW) "," ENTRY(REGISTRATION_AUTOSCALERS_NAME, ""), 1, true,
         false},
        {ENTRY(REGISTRATION_AUTOSCALERS_NAME, OLD), 0, true, false},
        {ENTRY(REGISTRATION_AUTOSCALERS_NAME, NEW), 0, false, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(registration_fini) struct registration registration;
        AUTO(buffer_fini) struct buffer json;
        AUTO(buffer_fini) struct buffer patch;
        size_t n_failing = 0;
        buffer_init(&json, 4096);
        buffer_init(&patch, 4096);
        buffer_add_format(&json, "{\"webhooks\":[%s]}", rows[i].entries);
        read(buffer_text(&json), &registration);
        assert_int_equal(registration_is_as(&registration, "new", true), rows[i].is_as);
        registration_write_patch(&registration, "new", true, &patch);
        for (const char *at = buffer_text(&patch); (at = strstr(at, "\"Fail\"")) != NULL; at++) {
            n_failing++;
        }
        assert_int_equal(n_failing, rows[i].n_failing);
        assert_int_equal(strstr(buffer_text(&patch), "caBundle") != NULL,
                         rows[i].has_bundle_written);
    }
}

/* The answer has to show what the patch writes. Others may change what it leaves alone. */
static void test_registration__shows_what_a_patch_wrote(void **state) {
    static const char before_json[] =
        "{\"webhooks\":[{\"name\":\"a\",\"clientConfig\":{\"caBundle\":\"" NEW "\"}},"
        "{\"name\":\"b\",\"clientConfig\":{\"caBundle\":\"" OLD "\"}}]}";
    static const struct {
        const char *a;
        const char *b;
        const char *b_bundle;
        const char *b_policy;
        bool shows;
        bool shows_fail;
    } rows[] = {
        {"a", "b", NEW, "Ignore", true, false},
        {"a", "b", NEW, "Fail", true, false}, /* of a, the policy was to be written too */
        {"a", "b", OLD, "Fail", false, false},
        {"a", "b", "", "Fail", false, false},
        {"b", "a", NEW, "Fail", false, false},
        {"x", "b", NEW, "Fail", true, false},
        {"a", "x", NEW, "Fail", false, false},
    };
    AUTO(registration_fini) struct registration before;
    (void)state;
    read(before_json, &before);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(registration_fini) struct registration after;
        AUTO(buffer_fini) struct buffer json;
        buffer_init(&json, 4096);
        buffer_add_format(&json,
                          "{\"webhooks\":[{\"name\":\"%s\",\"clientConfig\":{}},{\"name\":\"%s\","
                          "\"failurePolicy\":\"%s\",\"clientConfig\":{\"caBundle\":\"%s\"}}]}",
                          rows[i].a, rows[i].b, rows[i].b_policy, rows[i].b_bundle);
        read(buffer_text(&json), &after);
        assert_int_equal(registration_shows(&after, &before, "new", false), rows[i].shows);
        assert_int_equal(registration_shows(&after, &before, "new", true), rows[i].shows_fail);
    }
    AUTO(registration_fini) struct registration copy = registration_copy(&before);
    assert_true(registration_shows(&before, &copy, "old", false) ==
                registration_shows(&copy, &before, "old", false));
    assert_string_equal(copy.entries[1].bundle_pem, "old");
}

static void test_registration__takes_16_entries_and_not_one_more(void **state) {
    (void)state;
    for (int n = REGISTRATION_ENTRIES_MAX; n <= REGISTRATION_ENTRIES_MAX + 1; n++) {
        AUTO(registration_fini) struct registration registration = {.n_entries = 0};
        AUTO(buffer_fini) struct buffer json;
        struct error error;
        buffer_init(&json, 4096);
        buffer_add_text(&json, "{\"webhooks\":[");
        for (int i = 0; i < n; i++) {
            buffer_add_format(&json, "%s{\"name\":\"n%d\"}", i > 0 ? "," : "", i);
        }
        buffer_add_text(&json, "]}");
        bool is_read = registration_read(json.bytes, json.size, &registration, &error);
        assert_int_equal(is_read, n == REGISTRATION_ENTRIES_MAX);
        if (!is_read) {
            assert_int_equal(error.kind, ERROR_TOO_LARGE);
        }
    }
}

static void test_registration__refuses_what_is_no_object(void **state) {
    static const char *const rows[] = {"", "[]", "{", "null", "{\"webhooks\":[{]}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct registration registration;
        struct error error;
        assert_false(registration_read(rows[i], strlen(rows[i]), &registration, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registration__reads_names_bundles_and_policies),
        cmocka_unit_test(test_registration__reads_what_a_deletion_is_bound_to),
        cmocka_unit_test(test_registration__patches_what_differs_and_tests_the_name_first),
        cmocka_unit_test(test_registration__leaves_the_entries_of_other_services_alone),
        cmocka_unit_test(test_registration__sets_the_policy_only_where_it_is_asked_to),
        cmocka_unit_test(test_registration__never_lets_the_entry_for_autoscalers_fail),
        cmocka_unit_test(test_registration__shows_what_a_patch_wrote),
        cmocka_unit_test(test_registration__takes_16_entries_and_not_one_more),
        cmocka_unit_test(test_registration__refuses_what_is_no_object),
    };
    return cmocka_run_group_tests_name("core/registration", tests, NULL, NULL);
}
