// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REVIEW_INPUT_H
#define APP_REVIEW_REVIEW_INPUT_H

/*
 * The input of `capstan review`: files, folders and standard input, document by document, object by
 * object. It holds one file at a time, so that memory does not grow with their number.
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

/* Returns false, with the error set, to end the reading. The error's offset counts in the
   document. */
typedef bool review_input_visit(void *context, const struct review_input *input,
                                struct error *error);

bool review_input_names_stdin(const struct option_texts *paths);

/* Reads all of standard input, since it is gone through more than once. */
bool review_input_read_stdin(struct buffer *ret_content, struct error *error) MUST_CHECK;

/* Visits all objects of all paths in their order. Within a folder, the names of the files give the
   order. Errors name file, line and column. */
bool review_input_each(const struct option_texts *paths, const struct buffer *standard_input,
                       review_input_visit *visit, void *context, struct error *error) MUST_CHECK;

#endif
