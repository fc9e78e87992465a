// SPDX-License-Identifier: Apache-2.0

/*
 * The figures that the program must keep to. Without sanitizers every build prints them. A build
 * with sanitizers measures nothing.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "edge/file.h"
#include "wire.h"

enum {
    STALL_MS = 5000,
    STALL_TICKS_MAX = 2,
    CONNECTIONS = 8,
    WORKERS = 2,
    SHARE_MIN_PERCENT = 70, /* of the busier worker's count */
    REQUESTS = 10000,
    RSS_MAX_KIB = 14 * 1024,
    RSS_ANON_MAX_KIB = 6 * 1024,
    OBJECTS = 10,
    STARTS = 5,
    START_MAX_US = 10000,
    START_MAX_PERCENT = 250, /* of the time of `capstan version` */
    START_ROUNDS = 3,
    POLL_NS = 200000,
    HELLO_MAX = 1024,
    THREADS_MAX = 16,
};

static int64_t now_us(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void start(struct program *program) {
    program_init(program);
    program_put_sample(program, "mcpservers-live.json");
    program_put_sample(program, "deployments-live.json");
    program_start(program);
}

static void stop(struct program *program) {
    assert_int_equal(program_stop(program), 0);
    program_fini(program);
}

static void send_half_hello(const struct program *program, struct http_client *client) {
    char hello[HELLO_MAX];
    SSL *ssl = SSL_new(program->client);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    assert_int_equal(SSL_connect(ssl), -1);
    int size = BIO_read(out, hello, HELLO_MAX);
    assert_in_range(size, 100, HELLO_MAX - 1);
    http_client_open(client, program->webhook_port);
    assert_true(http_client_send(client, hello, (size_t)size / 2));
    SSL_free(ssl);
}

/* One process has a stalled handshake. Another has all other kinds of waiting peers. */
static void test_figures__a_stalled_peer_costs_no_processor_time(void **state) {
    (void)state;
    static const char *const beginnings[] = {
        "", "POST /mutate HTTP/1.1\r\nHost: x\r\n",
        "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{",
        "POST /mutate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"};
    struct program programs[2];
    struct http_client stalled;
    struct http_client silent;
    struct http_client waiting[COUNT_OF(beginnings)];
    int64_t ticks[2];
    start(&programs[0]);
    start(&programs[1]);
    send_half_hello(&programs[0], &stalled);
    http_client_open(&silent, programs[1].webhook_port);
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        program_connect(&programs[1], &waiting[i]);
        assert_true(beginnings[i][0] == '\0' || http_client_send_text(&waiting[i], beginnings[i]));
    }
    http_sleep_ms(100);
    for (int i = 0; i < 2; i++) {
        ticks[i] = program_cpu_ticks(&programs[i]);
    }
    http_sleep_ms(STALL_MS);
    for (int i = 0; i < 2; i++) {
        ticks[i] = program_cpu_ticks(&programs[i]) - ticks[i];
    }
    print_message("FIGURE one stalled TLS handshake: %lld ticks of 10 ms in 5 s (at most %d); "
                  "five other peers that wait: %lld\n",
                  (long long)ticks[0], STALL_TICKS_MAX, (long long)ticks[1]);
    assert_in_range(ticks[0], 0, STALL_TICKS_MAX);
    assert_in_range(ticks[1], 0, STALL_TICKS_MAX);
    http_client_close(&stalled);
    http_client_close(&silent);
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        http_client_close(&waiting[i]);
    }
    stop(&programs[0]);
    stop(&programs[1]);
}

/* Counts the waits for work of each thread of the process. */
struct thread_waits {
    int64_t n[THREADS_MAX];
    int n_threads;
};

static int64_t read_waits(const struct program *program, const char *task) {
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    char path[512];
    static const char line[] = "\nvoluntary_ctxt_switches:";
    buffer_init(&content, 8192);
    snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)program->pid, task);
    assert_true(file_read(path, &content, &error));
    const char *at = strstr(buffer_text(&content), line);
    assert_non_null(at);
    return strtoll(at + strlen(line), NULL, 10);
}

/* The folder lists threads in the order of their creation. */
static void read_thread_waits(const struct program *program, struct thread_waits *ret_waits) {
    char folder[64];
    snprintf(folder, sizeof(folder), "/proc/%d/task", (int)program->pid);
    DIR *tasks = opendir(folder);
    assert_non_null(tasks);
    ret_waits->n_threads = 0;
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] != '.') {
            assert_true(ret_waits->n_threads < THREADS_MAX);
            ret_waits->n[ret_waits->n_threads++] = read_waits(program, task->d_name);
        }
    }
    closedir(tasks);
}

/* The waits of the two threads with the most waits since `before`, and of the one after them. */
static void find_busiest(const struct program *program, const struct thread_waits *before,
                         int64_t ret_busiest[WORKERS + 1]) {
    struct thread_waits after;
    read_thread_waits(program, &after);
    assert_int_equal(after.n_threads, before->n_threads);
    memset(ret_busiest, 0, (WORKERS + 1) * sizeof(*ret_busiest));
    for (int i = 0; i < after.n_threads; i++) {
        int64_t n = after.n[i] - before->n[i];
        for (int rank = 0; rank <= WORKERS; rank++) {
            if (n > ret_busiest[rank]) {
                int64_t next = ret_busiest[rank];
                ret_busiest[rank] = n;
                n = next;
            }
        }
    }
}

/* Each connection asks in turn, and alone. So a worker waits once for each request of its
   connections. The test counts the waits and not the time, which depends on the processor's other
   work. */
static void test_figures__connections_are_shared_out_and_memory_stays_low(void **state) {
    (void)state;
    struct program program;
    struct http_client clients[CONNECTIONS];
    struct thread_waits before;
    int64_t busiest[WORKERS + 1];
    struct verdict verdict;
    AUTO_FREE char *review = sample_read("raw-Deployment-UPDATE-16k");
    start(&program);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        program_connect(&program, &clients[i]);
    }
    read_thread_waits(&program, &before);
    int64_t ticks_before = program_cpu_ticks(&program);
    int64_t began_us = now_us();
    for (int i = 0; i < REQUESTS; i++) {
        wire_post(&clients[i % CONNECTIONS], review, &verdict);
        assert_int_equal(verdict.status, 200);
    }
    int64_t took_us = now_us() - began_us;
    int64_t ticks = program_cpu_ticks(&program) - ticks_before;
    find_busiest(&program, &before, busiest);
    int64_t rss = program_memory_kib(&program, "VmRSS");
    int64_t anonymous = program_memory_kib(&program, "RssAnon");
    print_message("FIGURE %d requests of %zu bytes over %d connections: RSS %lld KiB (under %d), "
                  "RssAnon %lld KiB (under %d)\n",
                  REQUESTS, strlen(review), CONNECTIONS, (long long)rss, RSS_MAX_KIB,
                  (long long)anonymous, RSS_ANON_MAX_KIB);
    print_message(
        "FIGURE the same by thread: woken %lld and %lld times (the lesser at least %d %%), "
        "then %lld; one request: %lld us of processor time, %lld us in all\n",
        (long long)busiest[0], (long long)busiest[1], SHARE_MIN_PERCENT, (long long)busiest[2],
        (long long)(ticks * 10000 / REQUESTS), (long long)took_us / REQUESTS);
    assert_true(rss < RSS_MAX_KIB);
    assert_true(anonymous < RSS_ANON_MAX_KIB);
    assert_true(busiest[1] * 100 >= busiest[0] * SHARE_MIN_PERCENT);
    assert_true(busiest[2] * 10 < busiest[1]);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        http_client_close(&clients[i]);
    }
    stop(&program);
}

/* Finds a free port. Another process could still take it before the program does. */
static uint16_t find_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void put_objects(const struct program *program) {
    AUTO(buffer_fini) struct buffer text;
    buffer_init(&text, 1 << 16);
    for (int i = 0; i < OBJECTS; i++) {
        buffer_add_format(&text,
                          "---\napiVersion: toolhive.stacklok.dev/v1beta1\nkind: MCPServer\n"
                          "metadata: {name: server-%d, namespace: default, uid: uid-%d, "
                          "generation: 1}\nspec:\n  image: example.com/server\n"
                          "  transport: stdio\n  replicas: %d\n",
                          i, i, i);
    }
    program_put(program, "objects/ten.yaml", buffer_text(&text));
}

/* Measures the time from before the fork to the first answer. */
static int64_t measure_start(struct program *program, const char *review) {
    struct http_client client;
    struct verdict verdict;
    program->fixed_port = program->webhook_port = find_port();
    int64_t began_us = now_us();
    program_launch(program);
    while (!http_client_try_open(&client, program->webhook_port)) {
        assert_true(program_is_running(program));
        assert_true(now_us() - began_us < 5000000);
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
    assert_true(http_client_begin_tls(&client, program->client));
    wire_post(&client, review, &verdict);
    int64_t took_us = now_us() - began_us;
    assert_int_equal(verdict.status, 200);
    http_client_close(&client);
    assert_int_equal(program_stop(program), 0);
    return took_us;
}

/* Measures `capstan version` from before its fork to its end. This is the time that this machine
   takes today to start a process with these libraries. */
static int64_t measure_machine(void) {
    int64_t began_us = now_us();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        execl(getenv("CAPSTAN"), "capstan", "version", (char *)NULL);
        _exit(1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return now_us() - began_us;
}

static int64_t lesser(int64_t left, int64_t right) {
    return left < right ? left : right;
}

/* On a busy machine, any start takes several times as long, and 10 ms are out of reach. So there
   are several rounds of five. If none is fast enough, the proportion must hold. */
static void test_figures__the_first_answer_comes_within_10_ms(void **state) {
    (void)state;
    struct program program;
    int64_t best_us = INT64_MAX;
    int64_t machine_us = INT64_MAX;
    AUTO_FREE char *review = sample_read("02-MCPServer-CREATE-weather");
    program_init(&program);
    put_objects(&program);
    for (int i = 0; i < START_ROUNDS * STARTS && (i % STARTS != 0 || best_us > START_MAX_US); i++) {
        machine_us = lesser(machine_us, measure_machine());
        best_us = lesser(best_us, measure_start(&program, review));
    }
    print_message(
        "FIGURE from exec to the first answer with %d objects, best of %d or more: %lld us "
        "(at most %d, or %d %% of what `capstan version` takes, %lld us)\n",
        OBJECTS, STARTS, (long long)best_us, START_MAX_US, START_MAX_PERCENT,
        (long long)machine_us);
    assert_true(best_us <= START_MAX_US || best_us * 100 <= machine_us * START_MAX_PERCENT);
    program_fini(&program);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures__the_first_answer_comes_within_10_ms),
        cmocka_unit_test(test_figures__connections_are_shared_out_and_memory_stays_low),
        cmocka_unit_test(test_figures__a_stalled_peer_costs_no_processor_time),
    };
    if (program_is_sanitized()) {
        printf("THE FIGURES ARE NOT MEASURED: this is a build with sanitizers\n");
        return 77; /* meson: skipped */
    }
    /* meson sets this variable. With it, malloc() and free() fill each block. */
    unsetenv("MALLOC_PERTURB_");
    return cmocka_run_group_tests_name("wire/figures", tests, NULL, NULL);
}
