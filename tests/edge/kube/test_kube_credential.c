// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kube_credential_fixtures.h"

enum { TOKEN_FILE_MAX = 65536 };

#define CREDENTIAL AUTO(free_credential) struct kube_credential *

static void test_kube_credential__is_what_the_kubeconfig_says(void **state) {
    (void)state;
    struct kube_access rows[] = {
        {.server = "https://a"},
        {.server = "https://a", .token = "t"},
        {.server = "https://a", .certificate_pem = "C", .key_pem = "K", .token = "t"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CREDENTIAL credential = kube_credential_new(&rows[i]);
        struct kube_identity identity = get_ready(credential, 0);
        if (rows[i].token == NULL) {
            assert_null(identity.token);
        } else {
            assert_string_equal(identity.token, rows[i].token);
        }
        if (rows[i].certificate_pem == NULL) {
            assert_null(identity.certificate_pem);
            assert_null(identity.key_pem);
        } else {
            assert_string_equal(identity.certificate_pem, rows[i].certificate_pem);
            assert_string_equal(identity.key_pem, rows[i].key_pem);
        }
        assert_false(kube_credential_refuse(credential));
    }
    kube_credential_free(NULL);
}

static void test_kube_credential__needs_the_files_it_is_told(void **state) {
    (void)state;
    struct kube_access access = {.server = "https://a", .certificate_file = "c", .key_file = "k"};
    CREDENTIAL credential = kube_credential_new(&access);
    assert_fails("missing", credential, 0, ERROR_NOT_FOUND,
                 "reading 'c': no such file or directory");
}

static void test_kube_credential__a_token_file_is_read_again_after_50_s(void **state) {
    (void)state;
    struct kube_access access = {.server = "https://a", .token_file = "token"};
    const struct {
        const char *text; /* written before the step; NULL: nothing */
        int64_t now_ms;
        const char *expected;
    } rows[] = {
        {" one\n", 1000, "one"},
        {"two\n", 1001, "one"},
        {NULL, 51000, "one"},
        {NULL, 51001, "two"},
        {"three", 101001, "two"},
        {NULL, 101002, "three"},
        {"\r\n four \t\n", 900000, "four"},
    };
    CREDENTIAL credential = kube_credential_new(&access);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].text != NULL) {
            write_text("token", rows[i].text);
        }
        assert_string_equal(get_ready(credential, rows[i].now_ms).token, rows[i].expected);
    }
}

static void test_kube_credential__keeps_a_token_if_the_file_is_unusable(void **state) {
    (void)state;
    struct kube_access access = {.server = "https://a", .token_file = "token"};
    const char *const rows[] = {"", " \n", "a b", "a\nb", "t\xc3\xa4", NULL};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CREDENTIAL credential = kube_credential_new(&access);
        write_text("token", "good");
        assert_string_equal(get_ready(credential, 0).token, "good");
        if (rows[i] == NULL) {
            assert_int_equal(unlink("token"), 0);
        } else {
            write_text("token", rows[i]);
        }
        assert_string_equal(get_ready(credential, 50001).token, "good");
        assert_true(kube_credential_refuse(credential));
        assert_string_equal(get_ready(credential, 50002).token, "good");
        /* The file is read again, whatever the time. */
        write_text("token", "better");
        assert_string_equal(get_ready(credential, 50003).token, "better");
    }
}

static void test_kube_credential__needs_a_first_token(void **state) {
    (void)state;
    struct kube_access access = {.server = "https://a", .token_file = "token"};
    CREDENTIAL credential = kube_credential_new(&access);
    assert_fails("missing", credential, 0, ERROR_NOT_FOUND,
                 "reading 'token': no such file or directory");
    write_text("token", "\n");
    assert_fails("empty", credential, 1, ERROR_INVALID, "the token file 'token' is empty");
    write_text("token", "a b");
    assert_fails("no token", credential, 2, ERROR_INVALID, "what is in 'token' is not a token");
    FILE *file = fopen("token", "w");
    assert_int_equal(fwrite("a\0b", 1, 3, file), 3);
    assert_int_equal(fclose(file), 0);
    assert_fails("a zero byte", credential, 3, ERROR_INVALID, "what is in 'token' is not a token");
    write_text("token", "good");
    assert_string_equal(get_ready(credential, 4).token, "good");
}

static void test_kube_credential__the_token_file_wins_over_the_token(void **state) {
    (void)state;
    struct kube_access access = {.server = "https://a", .token_file = "token", .token = "first"};
    CREDENTIAL credential = kube_credential_new(&access);
    assert_string_equal(get_ready(credential, 0).token, "first");
    write_text("token", "second");
    assert_string_equal(get_ready(credential, 1).token, "second");
}

static void test_kube_credential__a_refused_token_is_read_again(void **state) {
    (void)state;
    struct kube_access access = {.server = "https://a", .token_file = "token"};
    CREDENTIAL credential = kube_credential_new(&access);
    write_text("token", "one");
    assert_string_equal(get_ready(credential, 0).token, "one");
    write_text("token", "two");
    assert_string_equal(get_ready(credential, 1).token, "one");
    assert_true(kube_credential_refuse(credential));
    assert_string_equal(get_ready(credential, 1).token, "two");
    /* But only once. */
    write_text("token", "three");
    assert_string_equal(get_ready(credential, 2).token, "two");
}

static void test_kube_credential__reads_a_token_file_of_64_kib(void **state) {
    (void)state;
    struct kube_access access = {.server = "https://a", .token_file = "token"};
    CREDENTIAL credential = kube_credential_new(&access);
    char *text = test_malloc(TOKEN_FILE_MAX + 2);
    memset(text, 't', TOKEN_FILE_MAX + 1);
    text[TOKEN_FILE_MAX + 1] = '\0';
    write_text("token", text);
    assert_fails("past it", credential, 0, ERROR_TOO_LARGE, "'token' is larger than 65536 bytes");
    text[TOKEN_FILE_MAX] = '\0';
    write_text("token", text);
    assert_string_equal(get_ready(credential, 1).token, text);
    test_free(text);
}

static void test_kube_credential__a_token_wins_over_the_plugin(void **state) {
    (void)state;
    struct plugin_access plugin;
    struct kube_access *access = use_plugin(&plugin);
    write_plugin("plugin", PRINT("\"token\":\"other\""));
    write_text("token", "t");
    access->token = "t";
    for (int i = 0; i < 2; i++) {
        CREDENTIAL credential = kube_credential_new(access);
        assert_string_equal(get_ready(credential, 0).token, "t");
        access->token = NULL;
        access->token_file = "token";
    }
    assert_int_equal(count_runs(), 0);
}

static void test_kube_credential__keeps_what_a_plugin_prints_until_it_is_refused(void **state) {
    (void)state;
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    write_plugin("plugin", PRINT("\"token\":\"one\""));
    struct kube_identity identity = get_ready(credential, 0);
    assert_string_equal(identity.token, "one");
    assert_null(identity.certificate_pem);
    write_plugin("plugin", PRINT("\"token\":\"two\""));
    assert_string_equal(get_ready(credential, INT64_MAX - 1).token, "one");
    assert_int_equal(count_runs(), 1);
    assert_true(kube_credential_refuse(credential));
    assert_string_equal(get_ready(credential, 1).token, "two");
    assert_string_equal(get_ready(credential, 2).token, "two");
    assert_int_equal(count_runs(), 2);
}

static void test_kube_credential__a_refusal_while_the_plugin_runs_runs_no_other(void **state) {
    (void)state;
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    struct kube_identity identity;
    struct error error;
    write_plugin("plugin", PRINT("\"token\":\"one\""));
    assert_int_equal(kube_credential_get(credential, 0, &identity, &error),
                     KUBE_CREDENTIAL_PENDING);
    assert_true(kube_credential_refuse(credential));
    assert_string_equal(get_ready(credential, 0).token, "one");
    assert_string_equal(get_ready(credential, 1).token, "one");
    assert_int_equal(count_runs(), 1);
}

#define PEM(text) "\"-----BEGIN " text "\""

static void test_kube_credential__a_plugin_may_print_a_certificate(void **state) {
    (void)state;
    struct plugin_access plugin;
    struct kube_access *access = use_plugin(&plugin);
    const struct {
        const char *script;
        const char *certificate, *key, *token;
    } rows[] = {
        {PRINT("\"clientCertificateData\":" PEM("C1") ",\"clientKeyData\":" PEM("K1")),
         "-----BEGIN C1", "-----BEGIN K1", NULL},
        {PRINT("\"clientCertificateData\":" PEM("C1") ",\"clientKeyData\":" PEM(
             "K1") ",\"token\":\"t\""),
         "-----BEGIN C1", "-----BEGIN K1", "t"},
        {PRINT("\"clientCertificateData\":" PEM("C2") ",\"clientKeyData\":" PEM("K1")),
         "-----BEGIN C2", "-----BEGIN K1", NULL},
        {PRINT("\"clientCertificateData\":" PEM("C2") ",\"clientKeyData\":" PEM("K2")),
         "-----BEGIN C2", "-----BEGIN K2", NULL},
        /* If the plugin prints no certificate, that of the kubeconfig is used. */
        {PRINT("\"token\":\"t\""), "C0", "K0", "t"},
        {PRINT("\"token\":\"u\""), "C0", "K0", "u"},
    };
    access->certificate_pem = "C0";
    access->key_pem = "K0";
    CREDENTIAL credential = kube_credential_new(access);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_plugin("plugin", rows[i].script);
        assert_true(kube_credential_refuse(credential));
        struct kube_identity identity = get_ready(credential, 0);
        assert_string_equal(identity.certificate_pem, rows[i].certificate);
        assert_string_equal(identity.key_pem, rows[i].key);
        assert_int_equal(identity.token == NULL, rows[i].token == NULL);
    }
}

/* The plugin prints a time that many seconds from now. */
static void write_expiring(const char *offset) {
    char script[400];
    snprintf(script, sizeof(script),
             "when=$(date -u -d '%s seconds' +%%Y-%%m-%%dT%%H:%%M:%%SZ)\n"
             "echo '{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{"
             "\"token\":\"t\",\"expirationTimestamp\":\"'$when'\"}}'\n",
             offset);
    write_plugin("plugin", script);
}

static void test_kube_credential__is_renewed_before_it_expires(void **state) {
    (void)state;
    const struct {
        const char *offset;
        int64_t kept_ms;    /* after this time it is still used */
        int64_t renewed_ms; /* after this time it is renewed */
    } rows[] = {{"1000", 980000, 990000}, {"20", 1000, 10000}, {"9", 1000, 9000}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct plugin_access plugin;
        CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
        write_expiring(rows[i].offset);
        assert_string_equal(get_ready(credential, 5000).token, "t");
        int n_runs = count_runs();
        assert_string_equal(get_ready(credential, 5000 + rows[i].kept_ms).token, "t");
        assert_int_equal(count_runs(), n_runs);
        assert_string_equal(get_ready(credential, 5000 + rows[i].renewed_ms).token, "t");
        assert_int_equal(count_runs(), n_runs + 1);
    }
}

static void test_kube_credential__is_of_no_use_when_it_has_expired(void **state) {
    (void)state;
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    write_expiring("-1");
    assert_fails("a second ago", credential, 0, ERROR_INVALID,
                 "credential plugin './plugin': what it printed has expired already");
}

static void test_kube_credential__lets_a_failed_plugin_rest_for_5_s(void **state) {
    (void)state;
    static const char text[] = "credential plugin './plugin': it ended with status 1";
    struct plugin_access plugin;
    CREDENTIAL credential = kube_credential_new(use_plugin(&plugin));
    write_plugin("plugin", "exit 1\n");
    assert_fails("the first time", credential, 1000, ERROR_UNAVAILABLE, text);
    write_plugin("plugin", PRINT("\"token\":\"t\""));
    assert_fails("at once", credential, 1000, ERROR_UNAVAILABLE, text);
    assert_true(kube_credential_refuse(credential));
    assert_fails("just before", credential, 5999, ERROR_UNAVAILABLE, text);
    assert_int_equal(count_runs(), 1);
    assert_string_equal(get_ready(credential, 6000).token, "t");
    assert_int_equal(count_runs(), 2);
    /* kube_credential_refuse() forgets the failure. */
    assert_true(kube_credential_refuse(credential));
    assert_string_equal(get_ready(credential, 6001).token, "t");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_kube_credential__is_what_the_kubeconfig_says),
        IN_FOLDER(test_kube_credential__needs_the_files_it_is_told),
        IN_FOLDER(test_kube_credential__a_token_file_is_read_again_after_50_s),
        IN_FOLDER(test_kube_credential__keeps_a_token_if_the_file_is_unusable),
        IN_FOLDER(test_kube_credential__needs_a_first_token),
        IN_FOLDER(test_kube_credential__the_token_file_wins_over_the_token),
        IN_FOLDER(test_kube_credential__a_refused_token_is_read_again),
        IN_FOLDER(test_kube_credential__reads_a_token_file_of_64_kib),
        IN_FOLDER(test_kube_credential__a_token_wins_over_the_plugin),
        IN_FOLDER(test_kube_credential__keeps_what_a_plugin_prints_until_it_is_refused),
        IN_FOLDER(test_kube_credential__a_refusal_while_the_plugin_runs_runs_no_other),
        IN_FOLDER(test_kube_credential__a_plugin_may_print_a_certificate),
        IN_FOLDER(test_kube_credential__is_renewed_before_it_expires),
        IN_FOLDER(test_kube_credential__is_of_no_use_when_it_has_expired),
        IN_FOLDER(test_kube_credential__lets_a_failed_plugin_rest_for_5_s),
    };
    return cmocka_run_group_tests_name("edge/kube_credential", tests, NULL, NULL);
}
