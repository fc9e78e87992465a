// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/file.h"
#include "file_fixtures.h"

static void free_watch(struct file_watch **watch) {
    file_watch_free(*watch);
}

static bool is_readable(const struct file_watch *watch) {
    struct pollfd descriptor = {.fd = file_watch_descriptor(watch), .events = POLLIN};
    return poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLIN) != 0;
}

/* Removing watches makes events too. */
static void settle(struct file_watch *watch) {
    for (int i = 0; i < 3 && is_readable(watch); i++) {
        assert_false(file_watch_changed(watch));
    }
    assert_false(is_readable(watch));
}

/* Runs shell commands, one line per action. */
static void act(const char *commands) {
    if (system(commands) != 0) {
        fail_msg("%s", commands);
    }
}

#define FOLDER "mkdir -p folder/below && echo old > folder/a.yaml && echo old > folder/below/b.yaml"

// clang-format off
/* As the kubelet does: makes a new folder, renames a link to it over `..data`, removes the old
   folder. */
#define MOUNT                                                                                      \
    "mkdir -p mount/..1 && echo same size 1 > mount/..1/policy.yaml && ln -s ..1 mount/..data && " \
    "ln -s ..data/policy.yaml mount/policy.yaml"
#define SWAP(old, new)                                                                             \
    "cd mount && mkdir .." new " && echo same size " new " > .." new "/policy.yaml && "            \
    "ln -s .." new " ..data_tmp && mv -T ..data_tmp ..data && rm -r .." old

#define VERSIONS "mkdir v1 v2 && echo text | tee v1/a.yaml > v2/a.yaml && ln -s v1 current"

static const struct {
    const char *row;
    const char *path;
    const char *before;
    const char *acts[4];
} changes[] = {
    {"a file replaced by rename", "file", "echo old > file",
     {"echo new > beside && mv beside file", "echo new > beside && mv beside file"}},
    {"a file replaced by one alike", "file", "echo old > file && touch -d 2020-01-01 file",
     {"cp -p file beside && mv beside file"}},
    {"a file written in place, as long as before", "file",
     "echo old > file && touch -d 2020-01-01 file", {"echo new > file"}},
    {"a file written in place", "file", "echo old > file",
     {"echo longer than before > file", "echo more >> file", "truncate -s 1 file"}},
    {"a file removed and made again", "file", "echo old > file",
     {"rm file", "echo new > file"}},
    {"a file whose mode changes", "file", "echo old > file",
     {"chmod 0 file", "chmod 644 file"}},
    {"a file that becomes a folder", "file", "echo old > file",
     {"rm file && mkdir file", "echo new > file/a.yaml"}},
    {"a file that comes", "file", "true",
     {"echo new > file", "echo more >> file", "rm file"}},
    {"files of a folder", "folder", FOLDER,
     {"echo more >> folder/a.yaml", "echo new > folder/c.yaml",
      "mv folder/c.yaml folder/d.yaml", "rm folder/d.yaml"}},
    {"files moved out and in", "folder", FOLDER " && mkdir out",
     {"mv folder/a.yaml out", "mv out/a.yaml folder"}},
    {"a folder named with a slash", "folder/", FOLDER, {"echo more >> folder/a.yaml"}},
    {"a path with a dot", "./folder", FOLDER, {"echo more >> folder/a.yaml"}},
    {"folders below", "folder", FOLDER,
     {"echo more >> folder/below/b.yaml", "mkdir -p folder/new/deeper",
      "echo new > folder/new/deeper/x.yaml", "echo more >> folder/new/deeper/x.yaml"}},
    {"a folder removed and made again", "folder", FOLDER,
     {"rm -r folder", FOLDER, "echo more >> folder/a.yaml",
      "echo more >> folder/below/b.yaml"}},
    {"a file whose folder is removed and made again", "folder/below/b.yaml", FOLDER,
     {"rm -r folder", FOLDER, "echo more >> folder/below/b.yaml"}},
    {"a folder moved away, another in its place", "folder", FOLDER,
     {"mv folder aside", "cp -r aside folder", "echo more >> folder/a.yaml"}},
    {"a mounted ConfigMap", "mount", MOUNT, {SWAP("1", "2"), SWAP("2", "3")}},
    {"a file of one", "mount/policy.yaml", MOUNT, {SWAP("1", "2"), SWAP("2", "3")}},
    {"a link to a folder", "current", VERSIONS,
     {"ln -s v2 next && mv -T next current", "echo more >> v2/a.yaml"}},
    {"a file through such a link", "current/a.yaml", VERSIONS,
     {"echo more >> v1/a.yaml", "ln -s v2 next && mv -T next current",
      "echo more >> v2/a.yaml"}},
    {"what a link leads to, moved away", "current", "mkdir -p out/v1 && ln -s out/v1 current",
     {"mv out/v1 out/v0"}},
    {"a link that leads nowhere, then elsewhere", "link", "ln -s a link", {"ln -sfn b link"}},
    {"what is not there yet, nor its folders", "x/y/z", "true",
     {"mkdir -p x/y && echo new > x/y/z"}},
    {"what goes with its folders", "x/y/z", "mkdir -p x/y && echo old > x/y/z",
     {"echo more >> x/y/z", "rm -r x"}},
};
// clang-format on

static void test_file_watch__notices_each_change_at_once_and_once(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        act("rm -rf play && mkdir play");
        assert_int_equal(chdir("play"), 0);
        act(changes[i].before);
        AUTO(free_watch) struct file_watch *watch = file_watch_new();
        file_watch_add(watch, changes[i].path);
        settle(watch);
        for (size_t j = 0; j < COUNT_OF(changes[i].acts) && changes[i].acts[j] != NULL; j++) {
            act(changes[i].acts[j]);
            bool was_readable = is_readable(watch);
            if (!file_watch_changed(watch) || !was_readable) {
                fail_msg("%s, act %zu: %s", changes[i].row, j,
                         was_readable ? "not seen" : "not readable");
            }
            settle(watch);
        }
        assert_int_equal(chdir(".."), 0);
    }
}

/* If only a folder above the path appears, nothing changed at the path. But the watch must follow
   the new folder, or it would miss the file. */
static void test_file_watch__follows_the_folders_to_a_path_as_they_come(void **state) {
    (void)state;
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "x/y/z");
    act("mkdir -p x/y");
    assert_true(is_readable(watch));
    assert_false(file_watch_changed(watch));
    act("echo new > x/y/z");
    assert_true(is_readable(watch));
    assert_true(file_watch_changed(watch));
    act("echo more >> x/y/z");
    assert_true(is_readable(watch));
    assert_true(file_watch_changed(watch));
    settle(watch);
}

static void test_file_watch__absolute_paths_are_watched_too(void **state) {
    char path[128];
    snprintf(path, sizeof(path), "%s/x/y/z", (const char *)*state);
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, path);
    act("mkdir -p x/y && echo new > x/y/z");
    assert_true(is_readable(watch));
    assert_true(file_watch_changed(watch));
    settle(watch);
}

static void test_file_watch__ignores_everything_else(void **state) {
    (void)state;
    static const char *const acts[] = {
        "true",
        "echo new > folder/.a.yaml.swp",
        "mkdir folder/.git && echo new > folder/.git/x.yaml",
        "cat folder/a.yaml folder/below/b.yaml > /dev/null",
        "echo new > beside.yaml",
        "echo new > folder/c.yaml && rm folder/c.yaml",
    };
    /* Old times leave no doubt. */
    act(FOLDER " && touch -d 2020-01-01 folder/a.yaml folder/below/b.yaml");
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "folder");
    file_watch_add(watch, "folder/a.yaml");
    for (size_t i = 0; i < COUNT_OF(acts); i++) {
        act(acts[i]);
        if (file_watch_changed(watch)) {
            fail_msg("%s", acts[i]);
        }
    }
}

static void test_file_watch__each_path_counts(void **state) {
    (void)state;
    act("echo old > file && " FOLDER " && " MOUNT);
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "file");
    file_watch_add(watch, "folder");
    file_watch_add(watch, "mount/policy.yaml");
    static const char *const acts[] = {"echo more >> file", "rm folder/below/b.yaml",
                                       SWAP("1", "2"), "rm file"};
    for (size_t i = 0; i < COUNT_OF(acts); i++) {
        settle(watch);
        act(acts[i]);
        assert_true(is_readable(watch));
        assert_true(file_watch_changed(watch));
    }
}

static void test_file_watch__adding_twice_does_not_hide_a_change(void **state) {
    (void)state;
    act("echo old > file && " FOLDER);
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "file");
    file_watch_add(watch, "folder");
    act("echo more >> file");
    file_watch_add(watch, "file");
    file_watch_add(watch, "folder/");
    file_watch_add(watch, "folder/a.yaml");
    assert_true(file_watch_changed(watch));
    assert_false(file_watch_changed(watch));
}

static void write_at(const char *path, const char *text, time_t time) {
    write_text(path, text);
    struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A time in the future stands for one within a tick of the last look. */
static void test_file_watch__times_that_stand_still_do_not_hide_a_write(void **state) {
    (void)state;
    const time_t future = time(NULL) + 3600;
    write_at("file", "1", future);
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "file");
    settle(watch);
    for (int i = 0; i < 3; i++) {
        write_at("file", "2", future);
        assert_true(is_readable(watch));
        assert_true(file_watch_changed(watch));
        settle(watch);
        write_text(".file.swp", "");
        assert_false(file_watch_changed(watch));
    }
}

static void test_file_watch__an_old_time_needs_no_such_care(void **state) {
    (void)state;
    const time_t past = time(NULL) - 3600;
    write_at("file", "1", past);
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "file");
    write_at("file", "1", past);
    assert_true(is_readable(watch));
    assert_false(file_watch_changed(watch));
}

static size_t count_watches(const struct file_watch *watch) {
    char path[64];
    char line[512];
    size_t n = 0;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", file_watch_descriptor(watch));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        n += strncmp(line, "inotify wd:", 11) == 0;
    }
    fclose(file);
    return n;
}

static void test_file_watch__stops_watching_folders_that_left(void **state) {
    (void)state;
    act(FOLDER);
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "folder");
    assert_int_equal(count_watches(watch), 3);
    act("mkdir -p folder/new/deeper");
    assert_true(file_watch_changed(watch));
    assert_int_equal(count_watches(watch), 5);
    act("mv folder/new aside");
    assert_true(file_watch_changed(watch));
    assert_int_equal(count_watches(watch), 3);
    act("rm -r folder");
    assert_true(file_watch_changed(watch));
    assert_int_equal(count_watches(watch), 1);
}

static void test_file_watch__circular_links_end(void **state) {
    (void)state;
    act(FOLDER " && ln -s .. folder/below/up && ln -s . folder/here");
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "folder");
    assert_int_equal(count_watches(watch), 3);
    act("echo more >> folder/below/b.yaml");
    assert_true(file_watch_changed(watch));
    settle(watch);
}

static void test_file_watch__looks_32_folders_deep(void **state) {
    (void)state;
    char path[256] = "t";
    assert_int_equal(mkdir(path, 0755), 0);
    for (int i = 0; i < 32; i++) {
        strcat(path, "/d");
        assert_int_equal(mkdir(path, 0755), 0);
    }
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "t");
    char file[300];
    snprintf(file, sizeof(file), "%s/file", path);
    write_text(file, "");
    assert_true(is_readable(watch));
    assert_true(file_watch_changed(watch));
    strcat(path, "/d");
    assert_int_equal(mkdir(path, 0755), 0);
    assert_true(file_watch_changed(watch));
    snprintf(file, sizeof(file), "%s/file", path);
    write_text(file, "");
    assert_false(is_readable(watch));
    assert_false(file_watch_changed(watch));
    /* A folder that lies too deep does not hide the others. */
    assert_int_equal(mkdir("t/other", 0755), 0);
    assert_true(file_watch_changed(watch));
}

static size_t queue_size(void) {
    size_t size = 0;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &size), 1);
    fclose(file);
    return size;
}

static bool has_overflown(int descriptor) {
    _Alignas(struct inotify_event) char bytes[65536];
    ssize_t size;
    while ((size = read(descriptor, bytes, sizeof(bytes))) > 0) {
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)&bytes[at];
            if ((event->mask & IN_Q_OVERFLOW) != 0) {
                return true;
            }
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return false;
}

static void test_file_watch__survives_an_overflow_of_the_queue(void **state) {
    (void)state;
    size_t n_events = queue_size();
    act(FOLDER);
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "folder");
    /* A second queue of the same size shows that it did overflow. */
    int witness = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(witness, "folder", IN_CREATE | IN_DELETE) >= 0);
    for (size_t i = 0; i <= n_events / 2; i++) {
        assert_int_equal(mknod("folder/z", S_IFREG | 0644, 0), 0);
        assert_int_equal(unlink("folder/z"), 0);
    }
    assert_true(has_overflown(witness));
    close(witness);
    act("echo more >> folder/below/b.yaml"); /* its event was lost */
    assert_true(is_readable(watch));
    assert_true(file_watch_changed(watch));
    settle(watch);
    act("echo more >> folder/a.yaml");
    assert_true(is_readable(watch));
    assert_true(file_watch_changed(watch));
}

static void test_file_watch__sees_changes_without_inotify(void **state) {
    (void)state;
    act(FOLDER);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(file_watch_descriptor(watch), -1);
    file_watch_add(watch, "folder");
    assert_false(file_watch_changed(watch));
    act("echo more >> folder/below/b.yaml");
    assert_true(file_watch_changed(watch));
    assert_false(file_watch_changed(watch));
}

/* Nobody writes to a folder on the way to such a file: only the regular look finds the change. */
static void test_file_watch__the_regular_look_sees_changes_without_events(void **state) {
    (void)state;
    act("mkdir folder elsewhere && echo old > elsewhere/far.yaml");
    act("ln -s ../elsewhere/far.yaml folder/far.yaml");
    AUTO(free_watch) struct file_watch *watch = file_watch_new();
    file_watch_add(watch, "folder");
    act("echo more >> elsewhere/far.yaml");
    assert_false(is_readable(watch));
    assert_true(file_watch_changed(watch));
}

static void test_file_watch__freeing_none_does_nothing(void **state) {
    (void)state;
    file_watch_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_file_watch__notices_each_change_at_once_and_once),
        IN_FOLDER(test_file_watch__follows_the_folders_to_a_path_as_they_come),
        IN_FOLDER(test_file_watch__absolute_paths_are_watched_too),
        IN_FOLDER(test_file_watch__ignores_everything_else),
        IN_FOLDER(test_file_watch__each_path_counts),
        IN_FOLDER(test_file_watch__adding_twice_does_not_hide_a_change),
        IN_FOLDER(test_file_watch__times_that_stand_still_do_not_hide_a_write),
        IN_FOLDER(test_file_watch__an_old_time_needs_no_such_care),
        IN_FOLDER(test_file_watch__stops_watching_folders_that_left),
        IN_FOLDER(test_file_watch__circular_links_end),
        IN_FOLDER(test_file_watch__looks_32_folders_deep),
        IN_FOLDER(test_file_watch__survives_an_overflow_of_the_queue),
        IN_FOLDER(test_file_watch__sees_changes_without_inotify),
        IN_FOLDER(test_file_watch__the_regular_look_sees_changes_without_events),
        cmocka_unit_test(test_file_watch__freeing_none_does_nothing),
    };
    return cmocka_run_group_tests_name("edge/file_watch", tests, NULL, NULL);
}
