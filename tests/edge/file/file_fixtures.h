// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_EDGE_FILE_FIXTURES_H
#define TESTS_EDGE_FILE_FIXTURES_H

/*
 * A temporary folder for test_file.c, test_file_find.c and test_file_watch.c. Include it after
 * cmocka.h.
 */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every test runs in a folder of its own, so that its paths are short and relative. */

static inline int enter_folder(void **state) {
    char template[] = "/tmp/test-file-XXXXXX";
    if (mkdtemp(template) == NULL || chmod(template, 0755) != 0) {
        return -1;
    }
    *state = strdup(template);
    return chdir(*state);
}

static inline int remove_entry(const char *path, const struct stat *status, int kind,
                               struct FTW *at) {
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline int leave_folder(void **state) {
    int result = chdir("/");
    result |= nftw(*state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return result;
}

static inline void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Switches to a user whom permissions restrict. */
static inline void become_nobody(void) {
    if (geteuid() == 0) {
        assert_int_equal(seteuid(65534), 0);
    }
}

static inline void become_oneself(void) {
    assert_int_equal(seteuid(getuid()), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

#endif
