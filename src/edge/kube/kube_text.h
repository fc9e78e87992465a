// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_TEXT_H
#define EDGE_KUBE_KUBE_TEXT_H

/*
 * Small questions about texts that the readers of credentials share.
 */

#include <stdbool.h>

/* Can it follow "Authorization: Bearer "? It must be visible ASCII and not empty. */
bool kube_text_is_token(const char *text);

/* Removes white space from both ends, in place. */
void kube_text_trim(char *text);

#endif
