// SPDX-License-Identifier: Apache-2.0
#include "policy_file.h"

#include <string.h>

#include "document.h"

/* Finds the one document that is not empty. */
static bool find_policy(const struct document_file *file, size_t *ret_document,
                        struct error *error) {
    size_t n_found = 0;
    for (size_t i = 0; i < file->n_documents; i++) {
        const struct buffer *json = &file->documents[i].json;
        bool is_empty = json->size == 4 && memcmp(json->bytes, "null", 4) == 0;
        if (!is_empty && n_found++ > 0) {
            error_set_at(error, ERROR_INVALID, 0, "a policy is one document, and this is another");
            document_locate(file, i, error);
            return false;
        }
        if (!is_empty) {
            *ret_document = i;
        }
    }
    return n_found == 1 ||
           error_set(error, ERROR_INVALID, "%s: is empty; a policy is expected", file->path);
}

bool policy_file_read(const char *path, struct policy **ret_policy, struct error *error) {
    AUTO(document_file_fini) struct document_file file = {.path = NULL};
    size_t document = 0;
    if (!document_file_read(path, &file, error) || !find_policy(&file, &document, error)) {
        return false;
    }
    const struct buffer *json = &file.documents[document].json;
    if (!policy_decode(json->bytes, json->size, ret_policy, error)) {
        document_locate(&file, document, error);
        return false;
    }
    return true;
}
