// SPDX-License-Identifier: Apache-2.0
#include "kube_pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "edge/file.h"
#include "edge/x509.h"

enum { FILE_MAX = 1 << 20 };

static char *copy(const char *text) {
    return text == NULL ? NULL : memory_copy(text, strlen(text));
}

void kube_pair_init(struct kube_pair *pair, const struct kube_access *access) {
    bool is_fixed = access->certificate_file == NULL && access->key_file == NULL;
    *pair = (struct kube_pair){
        .access = access,
        .is_fixed = is_fixed,
        .certificate_pem = is_fixed ? copy(access->certificate_pem) : NULL,
        .key_pem = is_fixed ? copy(access->key_pem) : NULL,
    };
}

void kube_pair_fini(struct kube_pair *pair) {
    free(pair->certificate_pem);
    memory_free_secret(pair->key_pem);
}

/* All zero if there is no file. */
static struct stat look_at(const char *path) {
    struct stat status;
    if (path == NULL || stat(path, &status) != 0) {
        memset(&status, 0, sizeof(status));
    }
    return status;
}

static bool is_same(const struct stat *one, const struct stat *other) {
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
           one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

static bool read_pem(const char *path, const char *text, char **ret_pem, struct error *error) {
    AUTO(buffer_fini) struct buffer content;
    buffer_init_secret(&content, FILE_MAX);
    if (path != NULL && !file_read(path, &content, error)) {
        return false;
    }
    *ret_pem = copy(path == NULL ? text : buffer_text(&content));
    return true;
}

/* `before` holds the status of the files before they were read. A later change is then read next
   time. */
static bool read_pair(struct kube_pair *pair, const struct kube_pair *before, struct error *error) {
    const struct kube_access *access = pair->access;
    AUTO_FREE char *certificate = NULL;
    AUTO_FREE_SECRET char *key = NULL;
    if (!read_pem(access->certificate_file, access->certificate_pem, &certificate, error) ||
        !read_pem(access->key_file, access->key_pem, &key, error)) {
        return false;
    }
    if (!x509_is_key_of(certificate, key)) {
        return error_set(error, ERROR_INVALID,
                         "the client's key is not that of the client's certificate");
    }
    kube_pair_fini(pair);
    pair->certificate_pem = TAKE(certificate);
    pair->key_pem = TAKE(key);
    pair->certificate_status = before->certificate_status;
    pair->key_status = before->key_status;
    return true;
}

bool kube_pair_refresh(struct kube_pair *pair, struct error *error) {
    const struct kube_access *access = pair->access;
    struct error problem;
    const struct kube_pair now = {
        .certificate_status = look_at(access->certificate_file),
        .key_status = look_at(access->key_file),
    };
    bool is_current = pair->certificate_pem != NULL &&
                      is_same(&now.certificate_status, &pair->certificate_status) &&
                      is_same(&now.key_status, &pair->key_status);
    if (pair->is_fixed || is_current || read_pair(pair, &now, &problem)) {
        return true;
    }
    if (pair->certificate_pem == NULL) {
        *error = problem;
    }
    return pair->certificate_pem != NULL;
}
