// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_DIFF_H
#define CORE_OFFLINE_DIFF_H

/*
 * Compares two texts line by line and prints a unified diff: the format of POSIX diff -u, which
 * people read and patch applies.
 */

#include <stddef.h>

#include "base/buffer.h"

/* Up to so many lines removed and added, the diff is as short as can be. If it takes more, the diff
   replaces everything between the first and the last line that differ. This bounds time and memory
   (4 MB); a patch of Capstan changes a dozen lines. */
#define DIFF_CHANGES_MAX 1000

/* Adds the diff, with `context_lines` unchanged lines around each change; nothing if the texts are
   equal. The names are not escaped. */
void diff_unified(const char *old_name, const char *new_name, const char *old_text,
                  const char *new_text, size_t context_lines, struct buffer *out);

#endif
