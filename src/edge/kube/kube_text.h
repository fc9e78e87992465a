// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_TEXT_H
#define EDGE_KUBE_KUBE_TEXT_H

/*
 * Small functions on texts for the readers of credentials and kubeconfigs; no files.
 */

#include <stdbool.h>

/* May the text follow "Authorization: Bearer "? It must be visible ASCII, and not empty. */
bool kube_text_is_token(const char *text);

/* Does a PEM block begin in the text? */
bool kube_text_is_pem(const char *text);

/* Removes white space at both ends, in place. */
void kube_text_trim(char *text);

/* Makes one line of several, in place: each run of white space becomes a blank, and none stays at
   the ends. */
void kube_text_make_line(char *text);

/* Adds a text to a list whose last is NULL; an empty list may be NULL itself. */
void kube_text_list_add(char ***list, char *owned_text);

/* Frees the texts, wiped, and the list. */
void kube_text_list_free(char **list);

/* Puts the folder ("" or with its slash) before a relative path. *path is replaced; NULL stays. */
void kube_text_resolve(const char *folder, char **path);

#endif
