// SPDX-License-Identifier: Apache-2.0
#ifndef APP_DOCUMENT_H
#define APP_DOCUMENT_H

/*
 * A file of YAML or JSON documents. It is read whole, so that a file with one wrong document yields
 * nothing. Errors name file, line and column.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/admission/policy.h"
#include "edge/yaml.h"

enum { DOCUMENT_FILE_MAX = 64 << 20 };

struct document_file {
    char *path;
    struct yaml_document *documents;
    size_t n_documents;
};

bool document_file_read(const char *path, struct document_file *ret_file,
                        struct error *error) MUST_CHECK;

/* Parses content that was read already; `path` is only for errors. */
bool document_file_parse(const char *path, const struct buffer *content,
                         struct document_file *ret_file, struct error *error) MUST_CHECK;
void document_file_fini(struct document_file *file);

/* Puts "file:line:column: " before an error about a place in one of the documents. */
void document_locate(const struct document_file *file, size_t document, struct error *error);

/* Reads a PolicyConfig, the only document of a file. Errors name the path of the key, too. */
bool document_read_policy(const char *path, struct policy **ret_policy,
                          struct error *error) MUST_CHECK;

/* The same from text; `path` is its name in errors. */
bool document_parse_policy(const char *path, const struct buffer *content,
                           struct policy **ret_policy, struct error *error) MUST_CHECK;

#endif
