// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/file.h"
#include "file_fixtures.h"

enum { READ_MAX = 1048576 };

static void assert_holds(const char *path, const char *expected) {
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init(&content, READ_MAX);
    if (!file_read(path, &content, &error)) {
        fail_msg("%s", error.text);
    }
    assert_string_equal(buffer_text(&content), expected);
}

static void test_file__reads_up_to_the_cap(void **state) {
    (void)state;
    char text[40001] = "";
    memset(text, 'x', 40000);
    write_text("file", text);
    const struct {
        size_t cap;
        bool is_read;
    } rows[] = {{40001, true}, {40000, true}, {39999, false}, {100, false}, {0, false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer content;
        struct error error;
        buffer_init(&content, rows[i].cap);
        assert_int_equal(file_read("file", &content, &error), rows[i].is_read);
        if (rows[i].is_read) {
            assert_int_equal(content.size, 40000);
            assert_string_equal(buffer_text(&content), text);
        } else {
            char expected[64];
            snprintf(expected, sizeof(expected), "'file' is larger than %zu bytes", rows[i].cap);
            assert_string_equal(error.text, expected);
            assert_int_equal(error.kind, ERROR_TOO_LARGE);
        }
    }
}

static void test_file__reads_an_empty_file_within_no_bytes(void **state) {
    (void)state;
    write_text("empty", "");
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init(&content, 0);
    assert_true(file_read("empty", &content, &error));
    assert_int_equal(content.size, 0);
}

static void test_file__reading_replaces_what_was_in_the_buffer(void **state) {
    (void)state;
    write_text("file", "new");
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init(&content, 4);
    buffer_add_text(&content, "old!");
    buffer_add_text(&content, "too much");
    assert_true(file_read("file", &content, &error));
    assert_string_equal(buffer_text(&content), "new");
}

/* Files in /proc report size 0, like a file that grows while it is read. */
static void test_file__reads_to_the_end_whatever_the_size_was(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init(&content, READ_MAX);
    assert_true(file_read("/proc/self/status", &content, &error));
    assert_non_null(strstr(buffer_text(&content), "Name:"));
}

static void test_file__says_why_a_file_cannot_be_read(void **state) {
    (void)state;
    write_text("file", "");
    write_text("secret", "");
    assert_int_equal(chmod("secret", 0), 0);
    assert_int_equal(mkdir("folder", 0755), 0);
    const struct {
        const char *path;
        enum error_kind kind;
        const char *expected;
    } rows[] = {
        {"missing", ERROR_NOT_FOUND, "reading 'missing': no such file or directory"},
        {"missing/below", ERROR_NOT_FOUND, "reading 'missing/below': no such file or directory"},
        {"file/below", ERROR_NOT_FOUND, "reading 'file/below': not a directory"},
        {"", ERROR_NOT_FOUND, "reading '': no such file or directory"},
        {"folder", ERROR_UNAVAILABLE, "'folder' is a folder, not a file"},
        {"secret", ERROR_UNAVAILABLE, "reading 'secret': permission denied"},
    };
    become_nobody();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer content;
        struct error error = {0};
        buffer_init(&content, READ_MAX);
        assert_false(file_read(rows[i].path, &content, &error));
        assert_string_equal(error.text, rows[i].expected);
        assert_int_equal(error.kind, rows[i].kind);
    }
    become_oneself();
}

static void test_file__a_long_path_does_not_hide_the_reason(void **state) {
    (void)state;
    char path[2000] = "";
    memset(path, 'p', sizeof(path) - 1);
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init(&content, READ_MAX);
    assert_false(file_read(path, &content, &error));
    assert_non_null(strstr(error.text, "': file name too long"));
}

static size_t count_entries(const char *path) {
    char command[64];
    size_t n = 0;
    snprintf(command, sizeof(command), "ls -A %s | wc -l", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%zu", &n), 1);
    assert_int_equal(pclose(pipe), 0);
    return n;
}

static void test_file__writes_with_the_mode_that_is_asked_for(void **state) {
    (void)state;
    mode_t before = umask(027);
    const mode_t modes[] = {0600, 0644, 0666, 0400};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct error error;
        struct stat status;
        assert_true(file_write("file", "text", 4, modes[i], &error));
        assert_int_equal(stat("file", &status), 0);
        assert_int_equal(status.st_mode & 07777, modes[i]);
        assert_int_equal(unlink("file"), 0);
    }
    umask(before);
}

static void test_file__a_reader_keeps_the_old_file_whole(void **state) {
    (void)state;
    struct error error;
    assert_true(file_write("file", "old", 3, 0644, &error));
    int reader = open("file", O_RDONLY | O_CLOEXEC);
    assert_true(file_write("file", "new and longer", 14, 0644, &error));
    char text[16] = "";
    assert_int_equal(read(reader, text, sizeof(text) - 1), 3);
    close(reader);
    assert_string_equal(text, "old");
    assert_holds("file", "new and longer");
    assert_int_equal(count_entries("."), 1);
}

static void test_file__writes_names_of_every_length(void **state) {
    (void)state;
    char name[257] = "";
    const struct {
        size_t size;
        bool is_written;
    } rows[] = {{1, true}, {200, true}, {201, true}, {255, true}, {256, false}};
    assert_int_equal(mkdir("folder", 0755), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        memset(name, 'n', rows[i].size);
        name[rows[i].size] = '\0';
        char path[300];
        snprintf(path, sizeof(path), "folder/%s", name);
        struct error error;
        if (file_write(path, "x", 1, 0644, &error) != rows[i].is_written) {
            fail_msg("%zu bytes", rows[i].size);
        }
        assert_int_equal(access(path, F_OK) == 0, rows[i].is_written);
    }
    assert_int_equal(count_entries("folder"), 4);
}

static void test_file__writes_no_bytes_and_all_bytes(void **state) {
    (void)state;
    struct error error;
    struct stat status;
    assert_true(file_write("empty", NULL, 0, 0644, &error));
    assert_int_equal(stat("empty", &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_true(file_write("bytes", "a\0b\xff", 4, 0644, &error));
    AUTO(buffer_fini) struct buffer content;
    buffer_init(&content, 4);
    assert_true(file_read("bytes", &content, &error));
    assert_memory_equal(content.bytes, "a\0b\xff", 4);
}

static void test_file__a_failed_write_leaves_nothing_behind(void **state) {
    (void)state;
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_int_equal(mkdir("folder/taken", 0755), 0);
    struct error error;
    assert_false(file_write("folder/taken", "x", 1, 0644, &error));
    assert_string_equal(error.text, "writing 'folder/taken': is a directory");
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
    assert_int_equal(count_entries("folder"), 1);
    assert_false(file_write("missing/file", "x", 1, 0644, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
}

static void test_file__a_full_disk_leaves_the_old_file(void **state) {
    (void)state;
    enum { DISK_SIZE = 4096 };
    struct error error;
    char *bytes = test_calloc(1, 2 * DISK_SIZE);
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_true(file_write("folder/file", "old", 3, 0644, &error));
    /* For the writer, a limit on file sizes looks like a full disk. */
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {DISK_SIZE, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool is_written = file_write("folder/file", bytes, 2 * DISK_SIZE, 0644, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    test_free(bytes);
    assert_false(is_written);
    assert_string_equal(error.text, "writing 'folder/file': file too large");
    assert_holds("folder/file", "old");
    assert_int_equal(count_entries("folder"), 1);
}

static void test_file__makes_a_folder_and_those_above(void **state) {
    (void)state;
    char absolute[300];
    snprintf(absolute, sizeof(absolute), "%s/absolute/below", (const char *)*state);
    write_text("file", "");
    const struct {
        const char *path;
        const char *expected; /* NULL: it is made */
    } rows[] = {
        {"one", NULL},
        {"one", NULL},
        {"a/b/c", NULL},
        {"a/b/d/", NULL},
        {"a//b//e", NULL},
        {"./f", NULL},
        {absolute, NULL},
        {"/", NULL},
        {"file", "'file' is there and not a folder"},
        {"file/below", "'file' is there and not a folder"},
        {"", "making the folder '': no such file or directory"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error error = {0};
        struct stat status;
        bool is_made = file_make_folder(rows[i].path, 0755, &error);
        if (is_made != (rows[i].expected == NULL)) {
            fail_msg("'%s': %s", rows[i].path, error.text);
        }
        if (is_made) {
            assert_int_equal(stat(rows[i].path, &status), 0);
            assert_true(S_ISDIR(status.st_mode));
        } else {
            assert_string_equal(error.text, rows[i].expected);
        }
    }
}

static void test_file__removing_a_missing_file_is_no_error(void **state) {
    (void)state;
    struct error error;
    write_text("file", "");
    assert_true(file_remove("file", &error));
    assert_int_equal(access("file", F_OK), -1);
    assert_true(file_remove("file", &error));
    assert_true(file_remove("missing/file", &error));
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_false(file_remove("folder", &error));
    assert_string_equal(error.text, "removing 'folder': is a directory");
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
}

/* As the kubelet leaves a mounted Secret, and as it looks during a swap. */
static void test_file__finds_the_version_of_a_volume(void **state) {
    static const struct {
        const char *target; /* of volume/..data; NULL: no link */
        const char *place;
    } rows[] = {
        {NULL, "volume"},
        {"..2026_11_23", "volume/..2026_11_23"},
        {"/elsewhere/..2026_11_23", "/elsewhere/..2026_11_23"},
        {"..gone", "volume/..gone"},
    };
    (void)state;
    assert_int_equal(mkdir("volume", 0700), 0);
    assert_int_equal(mkdir("volume/..2026_11_23", 0700), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unlink("volume/..data");
        assert_true(rows[i].target == NULL || symlink(rows[i].target, "volume/..data") == 0);
        char *place = file_resolve_volume("volume");
        assert_string_equal(place, rows[i].place);
        free(place);
    }
    /* Anything but a link is ignored. */
    unlink("volume/..data");
    assert_int_equal(mkdir("volume/..data", 0700), 0);
    char *place = file_resolve_volume("volume");
    assert_string_equal(place, "volume");
    free(place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_file__finds_the_version_of_a_volume),
        IN_FOLDER(test_file__reads_up_to_the_cap),
        IN_FOLDER(test_file__reads_an_empty_file_within_no_bytes),
        IN_FOLDER(test_file__reading_replaces_what_was_in_the_buffer),
        IN_FOLDER(test_file__reads_to_the_end_whatever_the_size_was),
        IN_FOLDER(test_file__says_why_a_file_cannot_be_read),
        IN_FOLDER(test_file__a_long_path_does_not_hide_the_reason),
        IN_FOLDER(test_file__writes_with_the_mode_that_is_asked_for),
        IN_FOLDER(test_file__a_reader_keeps_the_old_file_whole),
        IN_FOLDER(test_file__writes_names_of_every_length),
        IN_FOLDER(test_file__writes_no_bytes_and_all_bytes),
        IN_FOLDER(test_file__a_failed_write_leaves_nothing_behind),
        IN_FOLDER(test_file__a_full_disk_leaves_the_old_file),
        IN_FOLDER(test_file__makes_a_folder_and_those_above),
        IN_FOLDER(test_file__removing_a_missing_file_is_no_error),
    };
    return cmocka_run_group_tests_name("edge/file", tests, NULL, NULL);
}
