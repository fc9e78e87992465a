// SPDX-License-Identifier: Apache-2.0
#include "edge/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "file_parts.h"

bool file_fail(struct error *error, int number, const char *doing, const char *path) {
    /* A circular link leads nowhere. */
    bool is_missing = number == ENOENT || number == ENOTDIR || number == ELOOP;
    char reason[80];
    snprintf(reason, sizeof(reason), "%s", strerror(number));
    reason[0] = (char)tolower((unsigned char)reason[0]);
    /* Cut a long path, so that the reason fits. */
    return error_set(error, is_missing ? ERROR_NOT_FOUND : ERROR_UNAVAILABLE, "%s '%.128s': %s",
                     doing, path, reason);
}

/* Not realpath(): if the target has just gone, its answer looks like "no link". Then two files
   might be read from the folder itself, and so from two versions. */
char *file_resolve_volume(const char *folder) {
    char link[PATH_MAX];
    char target[PATH_MAX];
    snprintf(link, sizeof(link), "%s/..data", folder);
    ssize_t size = readlink(link, target, sizeof(target));
    if (size <= 0 || (size_t)size == sizeof(target)) {
        return memory_copy(folder, strlen(folder));
    }
    bool is_absolute = target[0] == '/';
    return memory_format("%s%s%.*s", is_absolute ? "" : folder, is_absolute ? "" : "/", (int)size,
                         target);
}

static void close_descriptor(const int *descriptor) {
    if (*descriptor >= 0) {
        close(*descriptor);
    }
}

static ssize_t read_some(int descriptor, char *bytes, size_t size) {
    ssize_t n;
    do {
        n = read(descriptor, bytes, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

static bool read_to_end(int descriptor, const char *path, struct buffer *content,
                        struct error *error) {
    char bytes[16384];
    ssize_t n = 0;
    while (!content->is_cut && (n = read_some(descriptor, bytes, sizeof(bytes))) > 0) {
        buffer_add(content, bytes, (size_t)n);
    }
    if (content->is_secret) {
        memory_wipe(bytes, sizeof(bytes));
    }
    if (content->is_cut) {
        return error_set(error, ERROR_TOO_LARGE, "'%.128s' is larger than %zu bytes", path,
                         content->limit);
    }
    return n == 0 || file_fail(error, errno, "reading", path);
}

bool file_read(const char *path, struct buffer *ret_content, struct error *error) {
    buffer_clear(ret_content);
    /* O_NONBLOCK: opening a pipe would wait for a writer. */
    AUTO(close_descriptor) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        return file_fail(error, errno, "reading", path);
    }
    if (S_ISDIR(status.st_mode)) {
        return error_set(error, ERROR_UNAVAILABLE, "'%.128s' is a folder, not a file", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_set(error, ERROR_UNAVAILABLE,
                         "'%.128s' is a pipe or a device; a file is wanted, to be read again",
                         path);
    }
    buffer_reserve(ret_content, (size_t)status.st_size + 1); /* one more for buffer_text() */
    return read_to_end(descriptor, path, ret_content, error);
}

/* "folder/.name.tmp-XXXXXX". Cuts a very long name, so that the result is still a valid name. */
static char *temporary_path(const char *path) {
    const char *slash = strrchr(path, '/');
    int folder_size = slash == NULL ? 0 : (int)(slash - path + 1);
    return memory_format("%.*s.%.200s.tmp-XXXXXX", folder_size, path, path + folder_size);
}

static bool write_all(int descriptor, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(descriptor, bytes, size);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
    return true;
}

bool file_write(const char *path, const char *bytes, size_t size, mode_t mode,
                struct error *error) {
    AUTO_FREE char *temporary = temporary_path(path);
    int descriptor = mkostemp(temporary, O_CLOEXEC);
    if (descriptor < 0) {
        return file_fail(error, errno, "writing", path);
    }
    bool is_written = fchmod(descriptor, mode) == 0 && write_all(descriptor, bytes, size) &&
                      fsync(descriptor) == 0;
    int number = errno;
    if (close(descriptor) != 0 && is_written) {
        is_written = false;
        number = errno;
    }
    if (is_written) {
        is_written = rename(temporary, path) == 0;
        number = errno;
    }
    if (!is_written) {
        unlink(temporary);
        return file_fail(error, number, "writing", path);
    }
    return true;
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool make_one(const char *path, mode_t mode, struct error *error) {
    if (is_folder(path) || mkdir(path, mode) == 0) {
        return true;
    }
    int number = errno;
    if (number != EEXIST) {
        return file_fail(error, number, "making the folder", path);
    }
    /* Another process may have made it meanwhile. */
    return is_folder(path) ||
           error_set(error, ERROR_UNAVAILABLE, "'%.128s' is there and not a folder", path);
}

bool file_make_folder(const char *path, mode_t mode, struct error *error) {
    AUTO_FREE char *above = memory_copy(path, strlen(path));
    for (char *slash = strchr(above, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (*above != '\0' && !make_one(above, mode, error)) {
            return false;
        }
        *slash = '/';
    }
    return make_one(path, mode, error);
}

bool file_remove(const char *path, struct error *error) {
    return unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR ||
           file_fail(error, errno, "removing", path);
}
