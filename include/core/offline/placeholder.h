// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_PLACEHOLDER_H
#define CORE_OFFLINE_PLACEHOLDER_H

/*
 * Finds values that a template engine has yet to fill in. `name: {{ .Values.name }}` is no YAML,
 * but `name: "{{ .Values.name }}"` is, and would pass for a name.
 */

#include "core/offline/manifest.h"

/* The offset in the document of a value with "{{" in it that a decision would read. False if there
   is none. Looks into objects only that are, or may be, of a known kind. */
bool placeholder_find(const struct manifest_item *item, size_t *ret_offset);

#endif
