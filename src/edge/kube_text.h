// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_TEXT_H
#define EDGE_KUBE_TEXT_H

/*
 * What the readers of credentials have in common: small questions about texts, no files.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"

/* Can it stand behind "Authorization: Bearer "? Visible ASCII, and not empty. */
bool kube_text_is_token(const char *text);

/* Takes white space off both ends, in place. */
void kube_text_trim(char *text);

/* Decodes base64 (RFC 4648 section 4: padded, and no stray bits at the end) in place; line ends in
   it are passed over. `text` is NUL-terminated before and after, and may have NULs in it then.
   False, and the text is spoiled, if it is none. */
bool kube_text_decode_base64(char *text, size_t *ret_size) MUST_CHECK;

#endif
