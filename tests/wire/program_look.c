// SPDX-License-Identifier: Apache-2.0

/*
 * The functions of program.h that look at the program or its folder from outside.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/file.h"
#include "program.h"

enum { FILE_MAX = 64 << 20, PATIENCE_MS = 5000, METRICS_SIZE = 64 * 1024 };

void program_path(const struct program *program, const char *name, char out[PROGRAM_PATH_SIZE]) {
    int size = snprintf(out, PROGRAM_PATH_SIZE, "%s/%s", program->folder, name);
    assert_true(size > 0 && size < PROGRAM_PATH_SIZE);
}

void program_put(const struct program *program, const char *name, const char *text) {
    char path[PROGRAM_PATH_SIZE];
    char folder[PROGRAM_PATH_SIZE];
    struct error error;
    program_path(program, name, path);
    memcpy(folder, path, sizeof(folder));
    *strrchr(folder, '/') = '\0';
    if (!file_make_folder(folder, 0755, &error) ||
        !file_write(path, text, strlen(text), 0644, &error)) {
        fail_msg("%s", error.text);
    }
}

void program_write(const struct program *program, const char *name, const char *text) {
    char path[PROGRAM_PATH_SIZE];
    program_path(program, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void program_remove(const struct program *program, const char *name) {
    char path[PROGRAM_PATH_SIZE];
    program_path(program, name, path);
    assert_int_equal(remove(path), 0);
}

bool program_has(const struct program *program, const char *name) {
    char path[PROGRAM_PATH_SIZE];
    program_path(program, name, path);
    return access(path, F_OK) == 0;
}

static char *read_file(const char *path) {
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init(&content, FILE_MAX);
    if (!file_read(path, &content, &error)) {
        fail_msg("%s", error.text);
    }
    return memory_copy(content.bytes, content.size);
}

char *program_read(const struct program *program, const char *name) {
    char path[PROGRAM_PATH_SIZE];
    program_path(program, name, path);
    return read_file(path);
}

void program_put_sample(const struct program *program, const char *sample) {
    char from[PROGRAM_PATH_SIZE];
    char name[PROGRAM_PATH_SIZE];
    snprintf(from, sizeof(from), "%s/wire/samples/%s", getenv("CAPSTAN_TESTS"), sample);
    snprintf(name, sizeof(name), "objects/%s", sample);
    AUTO_FREE char *text = read_file(from);
    program_put(program, name, text);
}

size_t program_count_log(const struct program *program, const char *text) {
    size_t n = 0;
    if (!program_has(program, "log")) {
        return 0;
    }
    AUTO_FREE char *log = program_read(program, "log");
    char *rest = log;
    /* Count only complete lines. */
    for (char *end; (end = strchr(rest, '\n')) != NULL; rest = end + 1) {
        *end = '\0';
        n += strstr(rest, text) != NULL;
    }
    return n;
}

void program_wait_for_log(const struct program *program, const char *text, size_t n) {
    int64_t until_ms = http_now_ms() + PATIENCE_MS;
    while (program_count_log(program, text) < n) {
        if (http_now_ms() > until_ms) {
            AUTO_FREE char *log = program_read(program, "log");
            fail_msg("there are not %zu lines with '%s' in %s", n, text, log);
        }
        http_sleep_ms(5);
    }
}

int64_t program_metric(const struct program *program, const char *series) {
    AUTO_FREE char *page = memory_new(1, METRICS_SIZE);
    struct program side = *program;
    long long value = 0;
    side.webhook_port = program->metrics_port;
    assert_int_equal(
        program_shell(&side, "curl -sS http://127.0.0.1:$PORT/metrics", page, METRICS_SIZE), 0);
    size_t size = strlen(series);
    for (const char *line = strchr(page, '\n'); line != NULL; line = strchr(line + 1, '\n')) {
        if (strncmp(line + 1, series, size) == 0 && line[1 + size] == ' ') {
            assert_int_equal(sscanf(line + 1 + size, "%lld", &value), 1);
            return value;
        }
    }
    fail_msg("there is no series '%s' in %s", series, page);
    return 0;
}

void program_wait_for_metric(const struct program *program, const char *series, int64_t low,
                             int64_t high) {
    int64_t until_ms = http_now_ms() + PATIENCE_MS;
    int64_t is;
    while ((is = program_metric(program, series)) < low || is > high) {
        if (http_now_ms() > until_ms) {
            fail_msg("%s is %lld, not %lld to %lld", series, (long long)is, (long long)low,
                     (long long)high);
        }
        http_sleep_ms(5);
    }
}

void program_wait_for_pass(const struct program *program) {
    static const char reading[] = "\"event\":\"source.reloaded\",\"source\":\"certificate\"";
    /* The program takes the second signal only after all effects of the first. */
    for (int i = 0; i < 2; i++) {
        size_t n = program_count_log(program, reading);
        program_signal(program, SIGHUP);
        program_wait_for_log(program, reading, n + 1);
    }
}

static char *read_proc(const struct program *program, const char *name) {
    char path[PROGRAM_PATH_SIZE];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)program->pid, name);
    return read_file(path);
}

int64_t program_cpu_ticks(const struct program *program) {
    AUTO_FREE char *stat = read_proc(program, "stat");
    unsigned long user = 0;
    unsigned long system = 0;
    /* Fields 14 and 15. The second field is the name in parentheses, which may contain anything. */
    const char *fields = strrchr(stat, ')');
    assert_non_null(fields);
    assert_int_equal(
        sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system),
        2);
    return (int64_t)(user + system);
}

int64_t program_memory_kib(const struct program *program, const char *line) {
    AUTO_FREE char *status = read_proc(program, "status");
    long long kib = 0;
    const char *at = strstr(status, line);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(line), ": %lld kB", &kib), 1);
    return kib;
}

static void set_number(const char *name, unsigned number) {
    char text[16];
    snprintf(text, sizeof(text), "%u", number);
    setenv(name, text, 1);
}

int program_shell(const struct program *program, const char *command, char *ret_output,
                  size_t output_size) {
    char samples[PROGRAM_PATH_SIZE];
    char with_errors[2048];
    snprintf(samples, sizeof(samples), "%s/wire/samples", getenv("CAPSTAN_TESTS"));
    setenv("SAMPLES", samples, 1);
    if (program != NULL) {
        setenv("FOLDER", program->folder, 1);
        set_number("PORT", program->webhook_port);
    }
    int size = snprintf(with_errors, sizeof(with_errors), "{ %s\n} 2>&1", command);
    assert_true(size < (int)sizeof(with_errors));
    FILE *pipe = popen(with_errors, "re");
    assert_non_null(pipe);
    size_t n = fread(ret_output, 1, output_size - 1, pipe);
    ret_output[n] = '\0';
    for (char rest[4096]; fread(rest, 1, sizeof(rest), pipe) > 0;) {
    }
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool program_is_sanitized(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#else
    return false;
#endif
#else
    return false;
#endif
}
