// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_PLACEHOLDER_H
#define CORE_OFFLINE_PLACEHOLDER_H

/*
 * What a template engine has yet to fill in. `name: {{ .Values.name }}` is no YAML, but
 * `name: "{{ .Values.name }}"` is, and would be taken for a name.
 */

#include "core/offline/manifest.h"

/* Where in the document a value that has "{{" in it stands for what decisions are made from. Only
   of an object that is, or may be, of a kind that is known. False if there is none. */
bool placeholder_find(const struct manifest_item *item, size_t *ret_offset);

#endif
