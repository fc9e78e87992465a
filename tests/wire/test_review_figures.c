// SPDX-License-Identifier: Apache-2.0

/*
 * Time and memory of `capstan review`, over many documents in few files and in many. The test
 * prints the time, and its limit is far above it. It compares the memory of one run with that of
 * another.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/file/file_fixtures.h"

enum {
    DOCUMENTS_IN_FILE = 100,
    SECONDS_MAX = 10,
    NOISE_KIB = 1024, /* between two runs */
    /* Bytes kept of each MCPServer or Deployment, to judge the other objects by. */
    FACT_SIZE_MAX = 300,
};

/* Writes a ConfigMap, or alternately an MCPServer and its Deployment, of a usual size. */
static void write_document(FILE *file, unsigned number, bool is_other) {
    if (is_other) {
        fprintf(file, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%u}\ndata:\n", number);
    } else if (number % 2 == 0) {
        fprintf(file,
                "apiVersion: toolhive.stacklok.dev/v1beta1\nkind: MCPServer\n"
                "metadata: {name: s%u}\nspec: {image: i, replicas: 3}\nenv:\n",
                number);
    } else {
        fprintf(file,
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: s%u\n"
                "  labels: {app.kubernetes.io/name: mcpserver, app.kubernetes.io/instance: s%u}\n"
                "spec:\n  replicas: 3\n  template: {spec: {containers: []}}\nenv:\n",
                number - 1, number - 1);
    }
    for (unsigned i = 0; i < 20; i++) {
        fprintf(file, "  VARIABLE_%u: some text of a usual length\n", i);
    }
    fputs("---\n", file);
}

static void write_files(const char *folder, unsigned n_files, bool is_other) {
    assert_int_equal(mkdir(folder, 0700), 0);
    for (unsigned i = 0; i < n_files; i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%03u.yaml", folder, i);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        for (unsigned document = 0; document < DOCUMENTS_IN_FILE; document++) {
            write_document(file, i * DOCUMENTS_IN_FILE + document, is_other);
        }
        assert_int_equal(fclose(file), 0);
    }
}

struct run {
    double seconds;
    long memory_kib;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The output goes into the file "out". */
static struct run review(const char *folder, const char *form) {
    const char *arguments[] = {getenv("CAPSTAN"), "review", "-f", folder, "-o", form, NULL};
    double began = now();
    struct rusage usage;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    assert_int_equal(wait4(pid, &status, 0, &usage), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return (struct run){now() - began, usage.ru_maxrss};
}

static void assert_last_line(const char *expected) {
    char line[256] = "";
    char last[256] = "";
    FILE *out = fopen("out", "r");
    assert_non_null(out);
    while (fgets(line, sizeof(line), out) != NULL) {
        memcpy(last, line, sizeof(last));
    }
    assert_int_equal(fclose(out), 0);
    assert_string_equal(last, expected);
}

static void test_review_figures__10000_documents_take_seconds(void **state) {
    (void)state;
    write_files("many", 100, false);
    struct run run = review("many", "text");
    assert_last_line("10000 objects: 0 denied, 5000 changed, 10000 warned, 0 unresolved; 0 passed "
                     "over\n");
    printf("FIGURE 10,000 documents of 100 files reviewed in %.2f s\n", run.seconds);
    assert_true(run.seconds < SECONDS_MAX);
}

/* Compares with ten times the files, each as large as before. */
static void check_memory(bool is_other, long growth_max_kib) {
    static const char *const forms[] = {"text",   "json",  "yaml", "patch",
                                        "github", "sarif", "junit"};
    write_files("few", 10, is_other);
    write_files("many", 100, is_other);
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct run few = review("few", forms[i]);
        struct run many = review("many", forms[i]);
        printf("FIGURE -o %s: %.1f MB for 10 files of 100 %s, %.1f MB for 100 files\n", forms[i],
               (double)few.memory_kib / 1024,
               is_other ? "ConfigMaps" : "MCPServers and Deployments",
               (double)many.memory_kib / 1024);
        assert_true(many.memory_kib - few.memory_kib < growth_max_kib);
    }
}

static void test_review_figures__memory_does_not_grow_with_the_files(void **state) {
    (void)state;
    check_memory(true, NOISE_KIB);
}

static void test_review_figures__memory_grows_by_one_fact_for_each_server_or_deployment(
    void **state) {
    (void)state;
    check_memory(false, NOISE_KIB + 90L * DOCUMENTS_IN_FILE * FACT_SIZE_MAX / 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_review_figures__10000_documents_take_seconds),
        IN_FOLDER(test_review_figures__memory_does_not_grow_with_the_files),
        IN_FOLDER(test_review_figures__memory_grows_by_one_fact_for_each_server_or_deployment),
    };
    return cmocka_run_group_tests_name("wire/review_figures", tests, NULL, NULL);
}
