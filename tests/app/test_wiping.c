// SPDX-License-Identifier: Apache-2.0
/*
 * Keys and tokens are zeroed before their memory is freed. The linker leads the calls of malloc(),
 * calloc(), realloc() and free() in our code, though not in libraries, to the functions below. They
 * look for pieces of the secrets in each block that is freed.
 */
#include <execinfo.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "certificates/certificate_fixtures.h"
#include "certificates/key_pair.h"
#include "certificates/rotate_make.h"
#include "doctor/doctor_ask.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/kube/kube_site.h"
#include "edge/kubeconfig.h"
#include "kube/kube_credential.h"

enum { PIECE_SIZE = 12, PIECES_MAX = 64, PATH_SIZE = 256, TEXT_MAX = 1 << 20, FRAMES_MAX = 16 };

#define TOKEN     "0123456789abcdef0123456789abcdef.a-token-that-nobody-may-find-again"
#define PATH      "/api/v1/namespaces/capstan-system/secrets/capstan-certs"
#define API       "client.authentication.k8s.io/v1"
#define HEX_TOKEN "7531902468ace13579bdf02468ace135"

static struct {
    char pieces[PIECES_MAX][PIECE_SIZE];
    size_t n_pieces;
    size_t n_leaks;
} watched;

/* The threads of the scripted server are the test's own. */
static _Thread_local bool is_watched_thread;

void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static void look_at(const char *bytes, size_t size) {
    for (size_t i = 0; is_watched_thread && i < watched.n_pieces; i++) {
        if (memmem(bytes, size, watched.pieces[i], PIECE_SIZE) != NULL) {
            void *frames[FRAMES_MAX];
            watched.n_leaks++;
            fprintf(stderr, "'%.*s' is in %zu bytes that are freed by:\n", PIECE_SIZE,
                    watched.pieces[i], size);
            backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
            return;
        }
    }
}

/* A library may have left something in the memory that it freed, so a new block is zeroed. */
void *__wrap_malloc(size_t size) {
    return calloc(1, size);
}

void __wrap_free(void *memory) {
    if (memory != NULL) {
        look_at(memory, malloc_usable_size(memory));
    }
    __real_free(memory);
}

/* Moves each block, as realloc() may. */
void *__wrap_realloc(void *memory, size_t size) {
    void *moved = calloc(1, size);
    if (memory != NULL && moved != NULL) {
        size_t old_size = malloc_usable_size(memory);
        memcpy(moved, memory, MIN(old_size, size));
        __wrap_free(memory);
    }
    return moved;
}

static void watch_for(const char *bytes, size_t size) {
    for (size_t at = 0; at + PIECE_SIZE <= size; at += PIECE_SIZE) {
        assert_true(watched.n_pieces < PIECES_MAX);
        memcpy(watched.pieces[watched.n_pieces++], bytes + at, PIECE_SIZE);
    }
}

/* The number itself is in these bytes of a PEM. What is before and behind is public. */
static void watch_for_key(const char *pem) {
    enum { BEGINS = 78, ENDS = 114 };
    struct buffer base64;
    assert_true(strlen(pem) > ENDS);
    watch_for(pem + BEGINS, ENDS - BEGINS);
    buffer_init_secret(&base64, TEXT_MAX);
    buffer_add_base64(&base64, pem, strlen(pem));
    watch_for(base64.bytes + BEGINS / 3 * 4, (ENDS - BEGINS) / 3 * 4);
    buffer_fini(&base64);
}

struct site {
    char folder[PATH_SIZE];
    struct x509_pair ca;
    struct x509_pair leaf;
};

static int set_up(void **state) {
    static struct site site;
    int64_t now = clock_wall_seconds();
    memset(&watched, 0, sizeof(watched));
    is_watched_thread = true;
    snprintf(site.folder, sizeof(site.folder), "/tmp/test-wiping-XXXXXX");
    assert_non_null(mkdtemp(site.folder));
    assert_int_equal(chdir(site.folder), 0);
    make_ca(now, &site.ca);
    make_leaf(&site.ca, now, &site.leaf);
    watch_for_key(site.ca.key_pem);
    watch_for_key(site.leaf.key_pem);
    watch_for(TOKEN, strlen(TOKEN));
    watch_for(HEX_TOKEN, strlen(HEX_TOKEN));
    *state = &site;
    return 0;
}

static int tear_down(void **state) {
    struct site *site = *state;
    static const char *const names[] = {"tls.crt", "tls.key", "token", "config", "plugin"};
    struct error error;
    x509_pair_fini(&site->ca);
    x509_pair_fini(&site->leaf);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(file_remove(names[i], &error));
    }
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(site->folder), 0);
    return watched.n_leaks > 0;
}

static void put(const char *name, const char *text, mode_t mode) {
    struct error error;
    assert_true(file_write(name, text, strlen(text), mode, &error));
}

#define assert_nothing_left() assert_int_equal(watched.n_leaks, 0)

/* The text of a Secret, in a secret buffer. */
static void write_secret(const struct site *site, struct buffer *out) {
    const struct keyring keyring = {.ca_crt = site->ca.certificate_pem,
                                    .ca_key = site->ca.key_pem,
                                    .tls_crt = site->leaf.certificate_pem,
                                    .tls_key = site->leaf.key_pem};
    buffer_init_secret(out, TEXT_MAX);
    keyring_write(&keyring, "capstan-system", out);
}

/* The watch itself works: it sees what is freed as it is. */
static void test_wiping__would_be_seen_if_it_were_left_out(void **state) {
    const struct site *site = *state;
    free(memory_copy(site->ca.key_pem, strlen(site->ca.key_pem)));
    assert_int_equal(watched.n_leaks, 1);
    free(memory_resize(memory_copy(TOKEN, strlen(TOKEN)), 1, 1));
    assert_int_equal(watched.n_leaks, 2);
    watched.n_leaks = 0;
}

static void test_wiping__of_keys_that_are_made(void **state) {
    struct x509_pair ca, leaf;
    (void)state;
    make_ca(START_S, &ca);
    make_leaf(&ca, START_S, &leaf);
    watch_for_key(ca.key_pem);
    watch_for_key(leaf.key_pem);
    x509_pair_fini(&ca);
    x509_pair_fini(&leaf);
    assert_nothing_left();
}

static void test_wiping__of_a_keyring(void **state) {
    AUTO(buffer_fini) struct buffer json;
    struct keyring keyring = {.ca_crt = NULL};
    struct keyring copy;
    struct error error;
    write_secret(*state, &json);
    assert_true(keyring_read(json.bytes, json.size, &keyring, &error));
    copy = rotate_make_copy(&keyring);
    keyring_fini(&copy);
    keyring_fini(&keyring);
    assert_nothing_left();
}

/* Of keys that stand there twice, that are no base64, or in a Secret that is no JSON. */
static void test_wiping__of_keys_that_cannot_be_read(void **state) {
    static const char *const rows[][3] = {
        {"{\"data\":{\"ca.key\":\"", "\",\"ca.key\":\"", "\"}}"},
        {"{\"data\":{\"ca.key\":\"AAAA", "*\",\"tls.key\":\"", "=\"}}"},
        {"{\"data\":{\"ca.key\":\"", "\\u0000\",\"tls.key\":\"\\n", "\"}}"},
        {"{\"data\":{\"ca.key\":\"", "\",\"tls.key\":\"", "\""},
    };
    const struct site *site = *state;
    AUTO(buffer_fini) struct buffer base64;
    buffer_init_secret(&base64, TEXT_MAX);
    buffer_add_base64(&base64, site->ca.key_pem, strlen(site->ca.key_pem));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer json;
        AUTO(keyring_fini) struct keyring keyring = {.ca_crt = NULL};
        struct error error;
        buffer_init_secret(&json, TEXT_MAX);
        for (size_t k = 0; k < COUNT_OF(rows[i]); k++) {
            buffer_add_text(&json, k == 0 ? "" : buffer_text(&base64));
            buffer_add_text(&json, rows[i][k]);
        }
        (void)!keyring_read(json.bytes, json.size, &keyring, &error);
    }
    assert_nothing_left();
}

static void test_wiping__of_a_key_pair_from_files(void **state) {
    const struct site *site = *state;
    struct http_server *server = start_tls_server();
    struct key_pair pair = {.dns_name = NAME};
    struct error error;
    put("tls.crt", site->leaf.certificate_pem, 0600);
    put("tls.key", site->leaf.key_pem, 0600);
    assert_true(key_pair_load(".", "tls.crt", "tls.key", server, &pair, &error));
    put("tls.key", site->ca.key_pem, 0600);
    assert_false(key_pair_load(".", "tls.crt", "tls.key", server, &pair, &error));
    http_stop(server);
    assert_nothing_left();
}

/* A kubeconfig with these members of its user. */
static void read_kubeconfig(const char *begin, const char *user, bool is_good) {
    AUTO(buffer_fini) struct buffer text;
    AUTO(kube_access_fini) struct kube_access access = {.server = NULL};
    struct error error;
    buffer_init_secret(&text, TEXT_MAX);
    buffer_add_text(&text, begin);
    buffer_add_text(&text, "{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":"
                           "{\"cluster\":\"c\",\"user\":\"u\"}}],\"clusters\":[{\"name\":\"c\","
                           "\"cluster\":{\"server\":\"https://a\"}}],\"users\":[{\"name\":\"u\","
                           "\"user\":");
    buffer_add_text(&text, user);
    buffer_add_text(&text, "}]}");
    put("config", buffer_text(&text), 0600);
    if (kubeconfig_read("config", NULL, &access, &error) != is_good) {
        fail_msg("%s: %s", user, is_good ? error.text : "it was read");
    }
}

static void test_wiping__of_a_kubeconfig(void **state) {
    static const char *const begins[] = {"", "# YAML\n"};
    const struct site *site = *state;
    AUTO(buffer_fini) struct buffer certificate, key, user;
    buffer_init_secret(&certificate, TEXT_MAX);
    buffer_init_secret(&key, TEXT_MAX);
    buffer_init_secret(&user, TEXT_MAX);
    buffer_add_base64(&certificate, site->leaf.certificate_pem, strlen(site->leaf.certificate_pem));
    buffer_add_base64(&key, site->leaf.key_pem, strlen(site->leaf.key_pem));
    buffer_add_format(&user, "{\"client-certificate-data\":\"%s\",\"client-key-data\":\"%s\"}",
                      buffer_text(&certificate), buffer_text(&key));
    for (size_t i = 0; i < COUNT_OF(begins); i++) {
        read_kubeconfig(begins[i], buffer_text(&user), true);
        read_kubeconfig(begins[i], "{\"token\":\"" TOKEN "\"}", true);
        read_kubeconfig(begins[i], "{\"token\":\"" HEX_TOKEN "\"}", true);
        read_kubeconfig(begins[i], "{\"token\":\"" TOKEN " \"}", false);
        read_kubeconfig(begins[i], "{\"token\":\"" TOKEN "\",\"token\":\"" TOKEN "\"}", false);
        read_kubeconfig(begins[i], "{\"token\":\"" TOKEN "\",\"exec\":{\"command\":\"c\"}}", false);
        read_kubeconfig(begins[i],
                        "{\"exec\":{\"command\":\"c\",\"apiVersion\":\"" API "\",\"args\":[\"" TOKEN
                        "\"],\"interactiveMode\":\"Never\","
                        "\"env\":[{\"name\":\"A\",\"value\":\"" TOKEN "\"}]}}",
                        true);
    }
    read_kubeconfig("# YAML\n", "{token: " HEX_TOKEN "}", true); /* it might be a number */
    assert_nothing_left();
}

static void get_credential(const struct kube_access *access) {
    struct kube_credential *credential = kube_credential_new(access);
    struct kube_identity identity;
    struct error error;
    enum kube_credential_state state;
    do {
        state = kube_credential_get(credential, clock_boot_ms(), &identity, &error);
    } while (state == KUBE_CREDENTIAL_PENDING);
    if (state == KUBE_CREDENTIAL_FAILED) {
        fail_msg("%s", error.text);
    }
    (void)kube_credential_refuse(credential); /* so it is read again */
    do {
        state = kube_credential_get(credential, clock_boot_ms(), &identity, &error);
    } while (state == KUBE_CREDENTIAL_PENDING);
    kube_credential_free(credential);
}

static void test_wiping__of_tokens_and_keys_for_the_api_server(void **state) {
    const struct site *site = *state;
    char server[] = "https://a", token_file[] = "token", fixed[] = TOKEN;
    char certificate_file[] = "tls.crt", key_file[] = "tls.key";
    put("token", " \n\t" TOKEN "\n", 0600);
    put("tls.crt", site->leaf.certificate_pem, 0600);
    put("tls.key", site->leaf.key_pem, 0600);
    get_credential(&(struct kube_access){.server = server, .token_file = token_file});
    get_credential(&(struct kube_access){.server = server, .token = fixed});
    get_credential(&(struct kube_access){
        .server = server, .certificate_file = certificate_file, .key_file = key_file});
    get_credential(&(struct kube_access){.server = server,
                                         .certificate_pem = site->leaf.certificate_pem,
                                         .key_pem = site->leaf.key_pem});
    assert_nothing_left();
}

static void test_wiping__of_what_a_credential_plugin_prints(void **state) {
    const struct site *site = *state;
    char server[] = "https://a", command[] = "./plugin", api_version[] = API;
    char *words[] = {command, NULL};
    char *nothing[] = {NULL};
    struct kube_plugin plugin = {
        .command = words, .environment = nothing, .api_version = api_version};
    AUTO(buffer_fini) struct buffer script;
    struct json_write write;
    buffer_init_secret(&script, TEXT_MAX);
    buffer_add_text(&script, "#!/bin/sh\ncat <<'EOF'\n");
    json_write_begin(&write, &script);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", API);
    json_write_member_text(&write, "kind", "ExecCredential");
    json_write_member_open(&write, "status", '{');
    json_write_member_text(&write, "token", TOKEN);
    json_write_member_text(&write, "clientCertificateData", site->leaf.certificate_pem);
    json_write_member_text(&write, "clientKeyData", site->leaf.key_pem);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
    buffer_add_text(&script, "\nEOF\n");
    put("plugin", buffer_text(&script), 0700);
    get_credential(&(struct kube_access){.server = server, .plugin = &plugin});
    assert_nothing_left();
}

static void note_end(void *context, const struct kube_answer *answer) {
    (void)answer;
    *(bool *)context = true;
}

static void note_line(void *context, const char *line, size_t size) {
    (void)context;
    (void)line;
    (void)size;
}

static void ask(struct kube *kube, enum kube_verb verb, const struct buffer *body) {
    bool has_ended = false;
    const struct kube_request request = {
        .verb = verb,
        .path = PATH,
        .body = body->bytes,
        .body_size = body->size,
        .timeout_ms = 10000,
        .answer_max = TEXT_MAX,
        .line = verb == KUBE_WATCH ? note_line : NULL,
        .done = note_end,
        .context = &has_ended,
    };
    kube_begin(kube, &request);
    while (!has_ended) {
        kube_wait(kube, NULL, 0, 1000);
    }
}

/* The answer comes in two parts, so the buffer grows, and a watch keeps a part of a line. */
static void test_wiping__of_requests_and_answers_with_a_secret(void **state) {
    static const enum kube_verb verbs[] = {KUBE_GET, KUBE_MERGE, KUBE_CREATE, KUBE_WATCH};
    char token[] = TOKEN;
    struct kube_site kube;
    struct doctor_ask doctor;
    AUTO(buffer_fini) struct buffer json, head;
    write_secret(*state, &json);
    buffer_init_secret(&head, TEXT_MAX);
    buffer_add_format(&head, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s", buffer_text(&json));
    size_t half = head.size - json.size / 2;
    const struct script_step steps[] = {
        {.what = SCRIPT_SEND, .bytes = head.bytes, .size = half},
        {.what = SCRIPT_DELAY, .ms = 50},
        {.what = SCRIPT_SEND, .bytes = head.bytes + half, .size = head.size - half},
        {.what = SCRIPT_SEND, .bytes = "\n", .size = 1},
        {.what = SCRIPT_CLOSE},
    };
    kube_site_init(&kube, &(struct script_options){0});
    kube.access.token = token;
    script_server_play(kube.server, PATH, 0, steps, COUNT_OF(steps));
    kube_site_start(&kube);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        ask(kube.kube, verbs[i], &json);
    }
    doctor_ask_init(&doctor, kube.kube);
    doctor.patient.names = (struct finding_names){
        .namespace = "capstan-system", .service = "capstan", .configuration = "zz-capstan"};
    doctor_ask_all(&doctor);
    assert_true(doctor.bodies[QUESTION_SECRET].size > 0);
    doctor_ask_fini(&doctor);
    kube_free(kube.kube);
    assert_nothing_left();
    watched.n_pieces = 0; /* the server is the test's own, and keeps the requests */
    script_server_free(kube.server);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_wiping__would_be_seen_if_it_were_left_out),
        FRESH(test_wiping__of_keys_that_are_made),
        FRESH(test_wiping__of_a_keyring),
        FRESH(test_wiping__of_keys_that_cannot_be_read),
        FRESH(test_wiping__of_a_key_pair_from_files),
        FRESH(test_wiping__of_a_kubeconfig),
        FRESH(test_wiping__of_tokens_and_keys_for_the_api_server),
        FRESH(test_wiping__of_what_a_credential_plugin_prints),
        FRESH(test_wiping__of_requests_and_answers_with_a_secret),
    };
    return cmocka_run_group_tests_name("app/wiping", tests, NULL, NULL);
}
