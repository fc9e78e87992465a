// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "edge/file.h"
#include "file_parts.h"

enum {
    EVENTS = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF |
             IN_MOVE_SELF | IN_ATTRIB,
    /* The resolution of file times: one tick of at most 10 ms, doubled to be safe. */
    STAMP_STEP_NS = 20000000,
};

struct watched_path {
    char *path;
    uint64_t fingerprint; /* of the last look */
};

struct watched_folder {
    int id;
    bool is_needed; /* the current look uses it */
};

struct file_watch {
    int descriptor;
    struct watched_path *paths;
    size_t n_paths;
    struct watched_folder *folders;
    size_t n_folders;
    bool is_young; /* at the last look some file was so new that another write may not change its
                      time */
};

struct look {
    struct file_watch *watch;
    int64_t began_ns;
    uint64_t fingerprint;
};

struct file_watch *file_watch_new(void) {
    struct file_watch *watch = memory_new(1, sizeof(*watch));
    watch->descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return watch;
}

void file_watch_free(struct file_watch *watch) {
    if (watch == NULL) {
        return;
    }
    for (size_t i = 0; i < watch->n_paths; i++) {
        free(watch->paths[i].path);
    }
    if (watch->descriptor >= 0) {
        close(watch->descriptor);
    }
    free(watch->paths);
    free(watch->folders);
    free(watch);
}

int file_watch_descriptor(const struct file_watch *watch) {
    return watch->descriptor;
}

static bool watch_folder(struct file_watch *watch, const char *path) {
    int id = inotify_add_watch(watch->descriptor, path, EVENTS | IN_ONLYDIR);
    if (id < 0) {
        return false;
    }
    for (size_t i = 0; i < watch->n_folders; i++) {
        if (watch->folders[i].id == id) {
            watch->folders[i].is_needed = true;
            return true;
        }
    }
    watch->folders = memory_resize(watch->folders, watch->n_folders + 1, sizeof(*watch->folders));
    watch->folders[watch->n_folders++] = (struct watched_folder){.id = id, .is_needed = true};
    return true;
}

static char *folder_above(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return memory_copy(".", 1);
    }
    return memory_copy(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Watches the folder of the path, or the nearest existing folder above it. */
static void watch_above(struct file_watch *watch, const char *path) {
    AUTO_FREE char *folder = folder_above(path);
    bool is_missing = !watch_folder(watch, folder) && (errno == ENOENT || errno == ENOTDIR);
    if (is_missing && strcmp(folder, "/") != 0 && strcmp(folder, ".") != 0) {
        watch_above(watch, folder);
        /* The folder may have been made in between. Its events would be missed. */
        (void)watch_folder(watch, folder);
    }
}

/* Any link on the path may be swapped for another, as git-sync does. */
static void watch_links(struct file_watch *watch, const char *path) {
    AUTO_FREE char *above = memory_copy(path, strlen(path));
    for (char *slash = strchr(above, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        struct stat status;
        if (lstat(above, &status) == 0 && S_ISLNK(status.st_mode)) {
            watch_above(watch, above);
        }
        *slash = '/';
    }
}

static void release_folders(struct file_watch *watch) {
    size_t n_kept = 0;
    for (size_t i = 0; i < watch->n_folders; i++) {
        if (watch->folders[i].is_needed) {
            watch->folders[n_kept++] = watch->folders[i];
        } else {
            inotify_rm_watch(watch->descriptor, watch->folders[i].id);
        }
    }
    watch->n_folders = n_kept;
}

static int64_t stamp_ns(const struct timespec *stamp) {
    return (int64_t)stamp->tv_sec * 1000000000 + stamp->tv_nsec;
}

static uint64_t hash_status(struct look *look, uint64_t hash, const struct stat *status) {
    /* Every temporary file changes the size and times of its folder. Only the entries of a folder
       matter, and they are visited. */
    bool is_folder = S_ISDIR(status->st_mode);
    int64_t modified_ns = is_folder ? 0 : stamp_ns(&status->st_mtim);
    const uint64_t facts[] = {status->st_dev, status->st_ino, status->st_mode,
                              is_folder ? 0 : (uint64_t)status->st_size, (uint64_t)modified_ns};
    look->watch->is_young |= modified_ns > look->began_ns - STAMP_STEP_NS;
    return hash_bytes(hash, facts, sizeof(facts));
}

static void on_folder(void *context, const char *folder) {
    struct look *look = context;
    (void)watch_folder(look->watch, folder);
}

static void on_path(void *context, const char *path, const struct stat *status) {
    struct look *look = context;
    uint64_t hash = hash_text(HASH_EMPTY, path);
    char target[PATH_MAX];
    ssize_t target_size = readlink(path, target, sizeof(target));
    if (target_size > 0) {
        hash = hash_bytes(hash, target, (size_t)target_size);
    }
    if (status != NULL) {
        hash = hash_status(look, hash, status);
    }
    /* Sum, since entries come in no order. Mix first, since plain FNV values are too regular for a
       sum. */
    hash = hash_fold(hash) * UINT64_C(0x9E3779B97F4A7C15);
    look->fingerprint += hash ^ hash >> 29;
}

/* Watches first and reads second, so that no later change is missed. */
static bool look_at(struct file_watch *watch, struct watched_path *watched) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    struct look look = {.watch = watch, .began_ns = stamp_ns(&now)};
    struct file_visitor visitor = {
        .context = &look, .enter = on_folder, .visit = on_path, .is_lenient = true};
    struct error ignored;
    watch_above(watch, watched->path);
    watch_links(watch, watched->path);
    bool is_there = file_walk(watched->path, &visitor, &ignored);
    uint64_t before = watched->fingerprint;
    watched->fingerprint = is_there ? look.fingerprint : 0;
    return watched->fingerprint != before;
}

void file_watch_add(struct file_watch *watch, const char *path) {
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') {
        size--;
    }
    AUTO_FREE char *copy = memory_copy(path, size);
    for (size_t i = 0; i < watch->n_paths; i++) {
        if (strcmp(watch->paths[i].path, copy) == 0) {
            return;
        }
    }
    watch->paths = memory_resize(watch->paths, watch->n_paths + 1, sizeof(*watch->paths));
    struct watched_path *watched = &watch->paths[watch->n_paths++];
    *watched = (struct watched_path){.path = TAKE(copy)};
    look_at(watch, watched);
}

static bool read_events(struct file_watch *watch) {
    _Alignas(struct inotify_event) char bytes[4096];
    bool is_written = false;
    ssize_t size;
    while ((size = read(watch->descriptor, bytes, sizeof(bytes))) > 0 ||
           (size < 0 && errno == EINTR)) {
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)&bytes[at];
            bool is_dot = event->len > 0 && event->name[0] == '.';
            is_written |= (event->mask & IN_CLOSE_WRITE) != 0 && !is_dot;
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return is_written;
}

bool file_watch_changed(struct file_watch *watch) {
    /* Two writes within one clock step leave the same time, and perhaps the same size. If a file
       was that new at the last look, any write counts as a change. */
    bool is_changed = read_events(watch) && watch->is_young;
    watch->is_young = false;
    for (size_t i = 0; i < watch->n_folders; i++) {
        watch->folders[i].is_needed = false;
    }
    for (size_t i = 0; i < watch->n_paths; i++) {
        is_changed |= look_at(watch, &watch->paths[i]);
    }
    release_folders(watch);
    return is_changed;
}
