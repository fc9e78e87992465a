// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_TEXT_H
#define EDGE_KUBE_KUBE_TEXT_H

/*
 * What the readers of credentials have in common: small questions about texts, no files.
 */

#include <stdbool.h>

/* Can it stand behind "Authorization: Bearer "? Visible ASCII, and not empty. */
bool kube_text_is_token(const char *text);

/* Takes white space off both ends, in place. */
void kube_text_trim(char *text);

#endif
