// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_FIELD_H
#define EDGE_KUBE_KUBE_FIELD_H

/*
 * Reads the fields of a mapping as a table says. The first error is kept, with the path of the key
 * and its place; what follows it is skipped, so that the one check is kube_field_finish().
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "base/json.h"
#include "kubeconfig_decode.h"

enum { KUBE_FIELD_PATH_SIZE = KUBECONFIG_PATH_SIZE + 64 };

struct kube_field_reader {
    struct json_reader json;
    const struct kubeconfig_part *part;
    const char *folder; /* where relative paths start: "" or with its slash */
    size_t at;          /* where the value in hand begins, in all of the JSON */
    struct error *error;
    bool has_failed;
};

struct kube_field {
    const char *name;
    /* Reads the value to `target`; NULL: a value that is not empty is refused. */
    void (*read)(struct kube_field_reader *reader, const char *path, void *target);
    size_t offset; /* of the target in what the mapping is read to */
    const char *refusal;
};

/* All but the table's entries are borrowed until kube_field_finish(). */
void kube_field_begin(struct kube_field_reader *reader, const struct kubeconfig_part *part,
                      const char *folder, struct error *error);
bool kube_field_finish(struct kube_field_reader *reader) MUST_CHECK;

/* Only the first failure counts. The third is about a key that is not there, or about the part
   itself (`key` is NULL). */
void kube_field_fail(struct kube_field_reader *reader, const char *path, const char *problem);
void kube_field_fail_about(struct kube_field_reader *reader, const char *path, const char *value,
                           const char *problem);
void kube_field_fail_below(struct kube_field_reader *reader, const struct kubeconfig_part *part,
                           const char *key, const char *problem);

void kube_field_read_mapping(struct kube_field_reader *reader, const char *path,
                             const struct kube_field *fields, size_t n_fields, void *target);

/* Calls `read` for each item of a list. */
void kube_field_read_list(struct kube_field_reader *reader, const char *path,
                          void (*read)(struct kube_field_reader *reader, const char *path,
                                       void *target),
                          void *target);

/* For tables. The target is a bool; or a char *, which stays NULL for an empty string. */
void kube_field_read_bool(struct kube_field_reader *reader, const char *path, void *target);
void kube_field_read_text(struct kube_field_reader *reader, const char *path, void *target);
void kube_field_read_file(struct kube_field_reader *reader, const char *path, void *target);
void kube_field_read_pem(struct kube_field_reader *reader, const char *path, void *target);

/* A string, an empty one too; NULL if there is none. To be freed. */
char *kube_field_take_string(struct kube_field_reader *reader, const char *path);

/* The path as it is, if it is absolute; else below the folder. To be freed. */
char *kube_field_resolve(const struct kube_field_reader *reader, const char *path);

#endif
