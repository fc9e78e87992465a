// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "certificate_fixtures.h"
#include "certificates/key_pair.h"
#include "edge/clock.h"

enum { PATH_SIZE = 256, SWAPS = 10000 };

/* A folder as the kubelet makes it: tls.crt and tls.key are links through ..data. */
struct volume {
    char folder[64];
    struct http_server *server;
    struct x509_pair ca;
    struct x509_pair pairs[2];
};

/* Does not wait for the disk as file_write() does, since the test writes 20,000 files. */
static bool put(const char *folder, const char *name, const char *text) {
    char path[PATH_SIZE];
    int size = snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = size < PATH_SIZE ? fopen(path, "w") : NULL;
    return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0;
}

static void forget_version(const char *folder, int n) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/..v%d/tls.crt", folder, n);
    unlink(path);
    snprintf(path, sizeof(path), "%s/..v%d/tls.key", folder, n);
    unlink(path);
    snprintf(path, sizeof(path), "%s/..v%d", folder, n);
    rmdir(path);
}

/* Makes a new version, points `..data` at it, and removes the version before. */
static bool publish(const struct volume *volume, int n) {
    const struct x509_pair *pair = &volume->pairs[n % 2];
    char version[PATH_SIZE];
    char link[PATH_SIZE];
    char data[PATH_SIZE];
    snprintf(version, sizeof(version), "%s/..v%d", volume->folder, n);
    snprintf(link, sizeof(link), "%s/..data_tmp", volume->folder);
    snprintf(data, sizeof(data), "%s/..data", volume->folder);
    bool is_published = mkdir(version, 0700) == 0 &&
                        put(version, "tls.crt", pair->certificate_pem) &&
                        put(version, "tls.key", pair->key_pem) &&
                        symlink(strrchr(version, '/') + 1, link) == 0 && rename(link, data) == 0;
    if (n > 0) {
        forget_version(volume->folder, n - 1);
    }
    return is_published;
}

/* Swaps versions while the test reads. It is a thread: in a child of a process with threads, a
   sanitizer's allocator may stay locked for ever. */
struct publisher {
    const struct volume *volume;
    atomic_int n_published;
    atomic_bool is_done;
};

static void *publish_all(void *data) {
    struct publisher *publisher = data;
    for (int n = 1; n <= SWAPS && publish(publisher->volume, n); n++) {
        atomic_store(&publisher->n_published, n);
    }
    atomic_store(&publisher->is_done, true);
    return NULL;
}

static void link_file(const struct volume *volume, const char *name) {
    char path[PATH_SIZE];
    char target[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", volume->folder, name);
    snprintf(target, sizeof(target), "..data/%s", name);
    assert_int_equal(symlink(target, path), 0);
}

static int set_up(void **state) {
    struct volume *volume = memory_new(1, sizeof(*volume));
    struct error error;
    *state = volume;
    strcpy(volume->folder, "/tmp/test-key-pair-XXXXXX");
    assert_non_null(mkdtemp(volume->folder));
    assert_true(x509_make_ca("CA", clock_wall_seconds(), DAY, &volume->ca, &error));
    for (int i = 0; i < 2; i++) {
        assert_true(x509_make_leaf(&volume->ca, leaf_names, 1, clock_wall_seconds(), DAY,
                                   &volume->pairs[i], &error));
    }
    volume->server = start_tls_server();
    return 0;
}

static int tear_down(void **state) {
    struct volume *volume = *state;
    char command[PATH_SIZE];
    snprintf(command, sizeof(command), "rm -rf %s", volume->folder);
    http_stop(volume->server);
    x509_pair_fini(&volume->ca);
    x509_pair_fini(&volume->pairs[0]);
    x509_pair_fini(&volume->pairs[1]);
    int status = system(command);
    free(volume);
    return status;
}

static bool load(const struct volume *volume, struct key_pair *pair, struct error *error) {
    return key_pair_load(volume->folder, "tls.crt", "tls.key", volume->server, pair, error);
}

static void test_key_pair__says_whether_the_name_is_there(void **state) {
    const struct volume *volume = *state;
    struct key_pair pair = {.dns_name = NAME};
    struct error error;
    assert_true(put(volume->folder, "tls.crt", volume->pairs[0].certificate_pem));
    assert_true(put(volume->folder, "tls.key", volume->pairs[0].key_pem));
    assert_true(load(volume, &pair, &error));
    assert_true(pair.has_name);
    assert_in_range(pair.expires - clock_wall_seconds(), DAY - 60, DAY);
    pair.dns_name = "other.capstan-system.svc";
    assert_true(load(volume, &pair, &error));
    assert_false(pair.has_name);
    pair.dns_name = NULL;
    assert_true(load(volume, &pair, &error));
    assert_true(pair.has_name);
}

/* Time alone makes a pair unready. Of the further certificates in the file, the issuer counts. */
static void test_key_pair__says_when_it_is_not_valid(void **state) {
    const struct volume *volume = *state;
    AUTO(x509_pair_fini) struct x509_pair stranger = {.key_pem = NULL};
    struct error error;
    assert_true(x509_make_ca("CA", clock_wall_seconds() - 10 * DAY, DAY, &stranger, &error));
    const struct {
        const char *second;
        int64_t later_s;
        size_t n_lines;
    } rows[] = {{"", 0, 0},
                {"", DAY + 60, 2},
                {"", -3700, 2},
                {volume->ca.certificate_pem, 0, 0},
                {stranger.certificate_pem, 0, 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct key_pair pair = {.dns_name = NAME};
        AUTO(buffer_fini) struct buffer out;
        AUTO_FREE char *chain =
            memory_format("%s%s", volume->pairs[0].certificate_pem, rows[i].second);
        size_t n_lines = 0;
        assert_true(put(volume->folder, "tls.crt", chain));
        assert_true(put(volume->folder, "tls.key", volume->pairs[0].key_pem));
        assert_true(load(volume, &pair, &error));
        buffer_init(&out, SIZE_MAX);
        key_pair_why_unready(&pair, clock_wall_seconds() + rows[i].later_s, &out);
        for (size_t k = 0; k < out.size; k++) {
            n_lines += out.bytes[k] == '\n';
        }
        assert_int_equal(n_lines, rows[i].n_lines);
    }
}

static void test_key_pair__is_unready_where_the_issuer_is_over(void **state) {
    struct key_pair pair = {.begins = START_S,
                            .expires = START_S + 2 * DAY,
                            .issuer_begins = START_S,
                            .issuer_expires = START_S + DAY};
    AUTO(buffer_fini) struct buffer out;
    (void)state;
    buffer_init(&out, SIZE_MAX);
    key_pair_why_unready(&pair, START_S + DAY, &out);
    assert_int_equal(out.size, 0);
    key_pair_why_unready(&pair, START_S + DAY + 1, &out);
    assert_non_null(strstr(buffer_text(&out), "the issuer of the certificate"));
}

static void test_key_pair__is_trusted_by_its_ca_under_its_name(void **state) {
    const struct volume *volume = *state;
    AUTO(x509_pair_fini) struct x509_pair other = {.key_pem = NULL};
    const char *ca = volume->ca.certificate_pem;
    make_ca(clock_wall_seconds(), &other);
    assert_false(key_pair_is_trusted(volume->folder, "tls.crt", NAME, ca));
    assert_true(put(volume->folder, "tls.crt", volume->pairs[0].certificate_pem));
    assert_true(key_pair_is_trusted(volume->folder, "tls.crt", NAME, ca));
    assert_false(key_pair_is_trusted(volume->folder, "tls.crt", "other." NAME, ca));
    assert_false(key_pair_is_trusted(volume->folder, "tls.crt", NAME, other.certificate_pem));
    assert_false(key_pair_is_trusted(volume->folder, "tls.crt", NAME, ""));
}

static void test_key_pair__refuses_halves_and_strangers(void **state) {
    const struct volume *volume = *state;
    const char *certificate = volume->pairs[0].certificate_pem;
    const struct {
        const char *certificate;
        const char *key;
    } rows[] = {{certificate, volume->pairs[1].key_pem},
                {certificate, ""},
                {"", volume->pairs[0].key_pem},
                {certificate, certificate}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct key_pair pair = {.dns_name = NULL};
        struct error error;
        assert_true(put(volume->folder, "tls.crt", rows[i].certificate));
        assert_true(put(volume->folder, "tls.key", rows[i].key));
        assert_false(load(volume, &pair, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

/* The two halves of each reading are of one version, however often the publisher swaps
   meanwhile. */
static void test_key_pair__never_mixes_two_versions(void **state) {
    const struct volume *volume = *state;
    struct publisher publisher = {.volume = volume};
    struct key_pair pair = {.dns_name = NAME};
    struct error error;
    struct error worst = {.text = ""};
    pthread_t thread;
    int n_good = 0;
    assert_true(publish(volume, 0));
    link_file(volume, "tls.crt");
    link_file(volume, "tls.key");
    assert_int_equal(pthread_create(&thread, NULL, publish_all, &publisher), 0);
    while (!atomic_load(&publisher.is_done)) {
        if (load(volume, &pair, &error)) {
            n_good++;
        } else if (error.kind != ERROR_NOT_FOUND) {
            /* One failure is allowed: a version was gone five times in a row. The next look mends
               it. */
            worst = error;
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(worst.text, "");
    assert_int_equal(atomic_load(&publisher.n_published), SWAPS);
    assert_true(n_good > 0);
    assert_true(load(volume, &pair, &error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_key_pair__says_whether_the_name_is_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_key_pair__says_when_it_is_not_valid, set_up,
                                        tear_down),
        cmocka_unit_test(test_key_pair__is_unready_where_the_issuer_is_over),
        cmocka_unit_test_setup_teardown(test_key_pair__is_trusted_by_its_ca_under_its_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_key_pair__refuses_halves_and_strangers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_key_pair__never_mixes_two_versions, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("app/key_pair", tests, NULL, NULL);
}
