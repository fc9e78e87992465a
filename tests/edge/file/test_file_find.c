// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/file.h"
#include "file_fixtures.h"

static void assert_finds(const char *path, const char *const *expected, size_t n_expected) {
    AUTO(file_list_fini) struct file_list list = {0};
    struct error error;
    if (!file_find(path, &list, &error)) {
        fail_msg("%s: %s", path, error.text);
    }
    for (size_t i = 0; i < list.n_paths && i < n_expected; i++) {
        assert_string_equal(list.paths[i], expected[i]);
    }
    assert_int_equal(list.n_paths, n_expected);
}

static void test_file_find__finds_manifests_at_any_depth_in_byte_order(void **state) {
    (void)state;
    static const char *const folders[] = {"t", "t/b", "t/b/c", "t/.hidden", "t/folder.yaml"};
    static const char *const files[] = {
        "t/b.yaml",         "t/b/z.yml",    "t/b/c/a.json",
        "t/a.txt",          "t/B.yaml",     "t/.swap.yaml",
        "t/.hidden/h.yaml", "t/b-1.yaml",   "t/folder.yaml/in.yaml",
        "t/yaml",           "t/x.yaml.bak", "t/x.YAML",
        "t/\xc3\xa4.yaml",  "t/b/.yaml",
    };
    static const char *const expected[] = {
        "t/B.yaml",        "t/b-1.yaml", "t/b.yaml",
        "t/b/c/a.json",    "t/b/z.yml",  "t/folder.yaml/in.yaml",
        "t/\xc3\xa4.yaml",
    };
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        assert_int_equal(mkdir(folders[i], 0755), 0);
    }
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        write_text(files[i], "");
    }
    assert_finds("t", expected, COUNT_OF(expected));
    assert_finds("t/", expected, COUNT_OF(expected));
    assert_finds("t/b/c", (const char *const[]){"t/b/c/a.json"}, 1);
    assert_finds("t/.hidden", (const char *const[]){"t/.hidden/h.yaml"}, 1);
}

static void test_file_find__finds_a_single_file_of_any_name(void **state) {
    (void)state;
    static const char *const names[] = {"noext", ".hidden", "x.txt", "x.yaml"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        write_text(names[i], "");
        assert_finds(names[i], &names[i], 1);
    }
    assert_int_equal(symlink("x.txt", "link"), 0);
    assert_finds("link", (const char *const[]){"link"}, 1);
}

static void test_file_find__finds_nothing_in_an_empty_folder(void **state) {
    (void)state;
    assert_int_equal(mkdir("empty", 0755), 0);
    assert_finds("empty", NULL, 0);
}

static void test_file_find__follows_links_but_not_in_circles(void **state) {
    (void)state;
    assert_int_equal(mkdir("t", 0755), 0);
    assert_int_equal(mkdir("t/a", 0755), 0);
    assert_int_equal(mkdir("elsewhere", 0755), 0);
    write_text("t/a/real.yaml", "");
    write_text("elsewhere/far.yaml", "");
    assert_int_equal(symlink("../elsewhere", "t/folder"), 0);
    assert_int_equal(symlink("a/real.yaml", "t/link.yaml"), 0);
    assert_int_equal(symlink(".", "t/here"), 0);
    assert_int_equal(symlink("..", "t/a/above"), 0);
    assert_int_equal(symlink("../t", "elsewhere/back"), 0);
    static const char *const expected[] = {"t/a/real.yaml", "t/folder/far.yaml", "t/link.yaml"};
    assert_finds("t", expected, COUNT_OF(expected));
}

/* One link leads nowhere, one to itself. */
static void test_file_find__lists_links_that_lead_nowhere_and_cannot_be_read(void **state) {
    (void)state;
    static const char *const expected[] = {"t/itself.yaml", "t/nowhere.json"};
    assert_int_equal(mkdir("t", 0755), 0);
    assert_int_equal(symlink("itself.yaml", "t/itself.yaml"), 0);
    assert_int_equal(symlink("nowhere", "t/nowhere.json"), 0);
    assert_int_equal(symlink("nowhere", "t/folder"), 0);
    assert_finds("t", expected, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        AUTO(buffer_fini) struct buffer content;
        struct error error;
        buffer_init(&content, SIZE_MAX);
        assert_false(file_read(expected[i], &content, &error));
        assert_int_equal(error.kind, ERROR_NOT_FOUND);
    }
}

/* The kubelet mounts a ConfigMap like this. */
static void test_file_find__finds_each_key_of_a_config_map_once(void **state) {
    (void)state;
    assert_int_equal(mkdir("m", 0755), 0);
    assert_int_equal(mkdir("m/..2026_11_22", 0755), 0);
    write_text("m/..2026_11_22/a.yaml", "");
    assert_int_equal(symlink("..2026_11_22", "m/..data"), 0);
    assert_int_equal(symlink("..data/a.yaml", "m/a.yaml"), 0);
    assert_finds("m", (const char *const[]){"m/a.yaml"}, 1);
}

static void test_file_find__looks_32_folders_deep(void **state) {
    (void)state;
    char path[256] = "t";
    assert_int_equal(mkdir(path, 0755), 0);
    for (int i = 0; i < 32; i++) {
        strcat(path, "/d");
        assert_int_equal(mkdir(path, 0755), 0);
    }
    char file[300];
    snprintf(file, sizeof(file), "%s/deep.yaml", path);
    write_text(file, "");
    const char *found = file;
    assert_finds("t", &found, 1);
    strcat(path, "/d");
    assert_int_equal(mkdir(path, 0755), 0);
    struct file_list list = {0};
    struct error error;
    assert_false(file_find("t", &list, &error));
    assert_int_equal(error.kind, ERROR_TOO_LARGE);
    assert_non_null(strstr(error.text, "lies more than 32 folders deep"));
    assert_null(list.paths);
}

static void test_file_find__names_what_cannot_be_looked_into(void **state) {
    (void)state;
    assert_int_equal(mkdir("t", 0755), 0);
    assert_int_equal(mkdir("t/closed", 0), 0);
    write_text("t/a.yaml", "");
    write_text("file", "");
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    const struct {
        const char *path;
        enum error_kind kind;
        const char *expected;
    } rows[] = {
        {"t", ERROR_UNAVAILABLE, "reading the folder 't/closed': permission denied"},
        {"t/closed", ERROR_UNAVAILABLE, "reading the folder 't/closed': permission denied"},
        {"missing", ERROR_NOT_FOUND, "looking at 'missing': no such file or directory"},
        {"dangling", ERROR_NOT_FOUND, "looking at 'dangling': no such file or directory"},
        {"file/below", ERROR_NOT_FOUND, "looking at 'file/below': not a directory"},
    };
    become_nobody();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct file_list list = {0};
        struct error error = {0};
        assert_false(file_find(rows[i].path, &list, &error));
        assert_string_equal(error.text, rows[i].expected);
        assert_int_equal(error.kind, rows[i].kind);
        assert_null(list.paths);
    }
    become_oneself();
    assert_int_equal(chmod("t/closed", 0755), 0);
}

static void test_file_find__finds_many_files_in_many_folders(void **state) {
    (void)state;
    assert_int_equal(mkdir("t", 0755), 0);
    char path[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "t/%02d", i / 10);
        assert_int_equal(i % 10 == 0 ? mkdir(path, 0755) : 0, 0);
        snprintf(path, sizeof(path), "t/%02d/%d.yaml", i / 10, i % 10);
        write_text(path, "");
    }
    AUTO(file_list_fini) struct file_list list = {0};
    struct error error;
    assert_true(file_find("t", &list, &error));
    assert_int_equal(list.n_paths, 1000);
    assert_string_equal(list.paths[0], "t/00/0.yaml");
    assert_string_equal(list.paths[999], "t/99/9.yaml");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_file_find__finds_manifests_at_any_depth_in_byte_order),
        IN_FOLDER(test_file_find__finds_a_single_file_of_any_name),
        IN_FOLDER(test_file_find__finds_nothing_in_an_empty_folder),
        IN_FOLDER(test_file_find__follows_links_but_not_in_circles),
        IN_FOLDER(test_file_find__lists_links_that_lead_nowhere_and_cannot_be_read),
        IN_FOLDER(test_file_find__finds_each_key_of_a_config_map_once),
        IN_FOLDER(test_file_find__looks_32_folders_deep),
        IN_FOLDER(test_file_find__names_what_cannot_be_looked_into),
        IN_FOLDER(test_file_find__finds_many_files_in_many_folders),
    };
    return cmocka_run_group_tests_name("edge/file_find", tests, NULL, NULL);
}
