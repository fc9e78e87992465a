// SPDX-License-Identifier: Apache-2.0
#include "kube_field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"

void kube_field_begin(struct kube_field_reader *reader, const struct kubeconfig_part *part,
                      const char *folder, struct error *error) {
    reader->part = part;
    reader->folder = folder;
    reader->at = part->at;
    reader->error = error;
    reader->has_failed = false;
    bool is_there = part->size > 0;
    json_begin(&reader->json, is_there ? part->json + part->at : "null", is_there ? part->size : 4);
}

bool kube_field_finish(struct kube_field_reader *reader) {
    struct error error;
    if (!json_finish(&reader->json, &error) && !reader->has_failed) {
        reader->at = reader->part->at + error.offset;
        kube_field_fail(reader, reader->part->path, error.text);
    }
    return !reader->has_failed;
}

void kube_field_fail(struct kube_field_reader *reader, const char *path, const char *problem) {
    if (!reader->has_failed) {
        error_set_at(reader->error, ERROR_INVALID, reader->at, "%s: %s", path, problem);
        reader->has_failed = true;
    }
}

void kube_field_fail_about(struct kube_field_reader *reader, const char *path, const char *value,
                           const char *problem) {
    char text[160];
    snprintf(text, sizeof(text), "'%.64s' %s", value, problem);
    kube_field_fail(reader, path, text);
}

void kube_field_fail_below(struct kube_field_reader *reader, const struct kubeconfig_part *part,
                           const char *key, const char *problem) {
    char path[KUBE_FIELD_PATH_SIZE];
    snprintf(path, sizeof(path), "%s%s%.32s", part->path, key == NULL ? "" : ".",
             key == NULL ? "" : key);
    reader->at = part->at;
    kube_field_fail(reader, path, problem);
}

/* Where the value begins that is read next. */
static size_t place(struct kube_field_reader *reader) {
    return reader->part->size == 0 ? reader->part->at
                                   : reader->part->at + json_offset(&reader->json);
}

/* null is what a Go program writes for a text or a list that it does not have. */
static bool skip_null(struct kube_field_reader *reader) {
    if (json_peek(&reader->json) != JSON_NULL) {
        return false;
    }
    json_skip(&reader->json);
    return true;
}

static void refuse(struct kube_field_reader *reader, const char *path, const char *refusal) {
    static const char *const nothing[] = {"null", "\"\"", "[]", "{}"};
    struct json_text raw;
    if (!json_read_raw(&reader->json, &raw)) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(nothing); i++) {
        if (raw.size == strlen(nothing[i]) && memcmp(raw.at, nothing[i], raw.size) == 0) {
            return;
        }
    }
    kube_field_fail(reader, path, refusal);
}

static const struct kube_field *find_field(const struct kube_field *fields, size_t n_fields,
                                           const struct json_text *key) {
    for (size_t i = 0; i < n_fields; i++) {
        if (json_text_is(key, fields[i].name)) {
            return &fields[i];
        }
    }
    return NULL;
}

static void read_field(struct kube_field_reader *reader, const char *path,
                       const struct kube_field *field, void *target) {
    char key_path[KUBE_FIELD_PATH_SIZE];
    snprintf(key_path, sizeof(key_path), "%.*s.%.32s", KUBECONFIG_PATH_SIZE + 24, path,
             field->name);
    reader->at = place(reader);
    if (field->read == NULL) {
        refuse(reader, key_path, field->refusal);
    } else {
        field->read(reader, key_path, (char *)target + field->offset);
    }
}

void kube_field_read_mapping(struct kube_field_reader *reader, const char *path,
                             const struct kube_field *fields, size_t n_fields, void *target) {
    struct json_text key;
    if (skip_null(reader)) {
        return;
    }
    if (!json_enter_object(&reader->json)) {
        kube_field_fail(reader, path, "must be a mapping");
        return;
    }
    while (json_next_member(&reader->json, &key)) {
        const struct kube_field *field = find_field(fields, n_fields, &key);
        if (field == NULL || reader->has_failed) {
            json_skip(&reader->json);
        } else {
            read_field(reader, path, field, target);
        }
    }
}

void kube_field_read_list(struct kube_field_reader *reader, const char *path,
                          void (*read)(struct kube_field_reader *reader, const char *path,
                                       void *target),
                          void *target) {
    if (skip_null(reader)) {
        return;
    }
    if (!json_enter_array(&reader->json)) {
        kube_field_fail(reader, path, "must be a list");
        return;
    }
    for (size_t i = 0; json_next_item(&reader->json); i++) {
        char item_path[KUBE_FIELD_PATH_SIZE];
        snprintf(item_path, sizeof(item_path), "%.*s[%zu]", KUBECONFIG_PATH_SIZE + 24, path, i);
        reader->at = place(reader);
        if (reader->has_failed) {
            json_skip(&reader->json);
        } else {
            read(reader, item_path, target);
        }
    }
}

void kube_field_read_bool(struct kube_field_reader *reader, const char *path, void *target) {
    if (!skip_null(reader) && !json_read_bool(&reader->json, target)) {
        kube_field_fail(reader, path, "must be true or false");
    }
}

char *kube_field_take_string(struct kube_field_reader *reader, const char *path) {
    struct json_text text;
    if (skip_null(reader)) {
        return NULL;
    }
    if (!json_read_text(&reader->json, &text)) {
        kube_field_fail(reader, path, "must be a string");
        return NULL;
    }
    char *string = memory_new(text.size + 1, 1);
    if (!json_text_copy(&text, string, text.size + 1)) {
        kube_field_fail(reader, path, "has a zero byte");
    }
    return string;
}

void kube_field_read_text(struct kube_field_reader *reader, const char *path, void *target) {
    char **text = target;
    AUTO_FREE char *string = kube_field_take_string(reader, path);
    free(TAKE(*text));
    if (string != NULL && *string != '\0') {
        *text = TAKE(string);
    }
}

char *kube_field_resolve(const struct kube_field_reader *reader, const char *path) {
    size_t folder_size = path[0] == '/' ? 0 : strlen(reader->folder);
    size_t path_size = strlen(path);
    char *resolved = memory_new(folder_size + path_size + 1, 1);
    memcpy(resolved, reader->folder, folder_size);
    memcpy(resolved + folder_size, path, path_size);
    return resolved;
}

void kube_field_read_file(struct kube_field_reader *reader, const char *path, void *target) {
    char **file = target;
    kube_field_read_text(reader, path, target);
    if (*file != NULL) {
        char *resolved = kube_field_resolve(reader, *file);
        free(*file);
        *file = resolved;
    }
}

void kube_field_read_pem(struct kube_field_reader *reader, const char *path, void *target) {
    char **pem = target;
    size_t size;
    kube_field_read_text(reader, path, target);
    if (*pem == NULL || reader->has_failed) {
        return;
    }
    if (!base64_decode(*pem, &size)) {
        kube_field_fail(reader, path, "is not base64");
    } else if (strlen(*pem) != size) {
        kube_field_fail(reader, path, "has a zero byte once it is decoded");
    } else if (strstr(*pem, "-----BEGIN ") == NULL) {
        kube_field_fail(reader, path, "is not PEM once it is decoded");
    }
}
