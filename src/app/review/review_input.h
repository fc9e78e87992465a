// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REVIEW_INPUT_H
#define APP_REVIEW_REVIEW_INPUT_H

/*
 * What `capstan review` reads: files, folders and standard input, document by document, object by
 * object. One file is held at a time, so that memory does not grow with their number.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/offline/manifest.h"
#include "options.h"

#define REVIEW_INPUT_STDIN "<stdin>"

/* Borrowed for the call. */
struct review_input {
    const char *path;
    uint32_t line;
    uint32_t column;
    const struct manifest_item *item;
};

/* False, with the error set, ends the reading. The error's offset is one of the document. */
typedef bool review_input_visit(void *context, const struct review_input *input,
                                struct error *error);

bool review_input_names_stdin(const struct option_texts *paths);

/* Reads standard input whole, since it may be gone through more than once. */
bool review_input_read_stdin(struct buffer *ret_content, struct error *error) MUST_CHECK;

/* Goes through all objects of all paths, in their order; within a folder by the files' names.
   Errors name file, line and column. */
bool review_input_each(const struct option_texts *paths, const struct buffer *standard_input,
                       review_input_visit *visit, void *context, struct error *error) MUST_CHECK;

#endif
