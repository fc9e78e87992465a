// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_TREE_H
#define ORACLE_TREE_H

/*
 * Small helpers over cJSON for the generator, the oracle and the report.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* Stands for U+0000, which cJSON cannot hold, in texts of a tree: U+E000 in UTF-8. */
#define TREE_NUL "\xee\x80\x80"

/* The member at the end of the path of keys, or NULL. The path ends with NULL. */
cJSON *tree_at(const cJSON *root, ...) __attribute__((sentinel));

/* Replaces or adds a member. The object must be one; if it is not, the value is dropped. */
void tree_put(cJSON *object, const char *key, cJSON *owned_value);
void tree_put_text(cJSON *object, const char *key, const char *text);
void tree_drop(cJSON *object, const char *key);

/* A deep copy that can be appended to. To a copy by the cJSON of Debian 12 nothing can: its first
   child does not know the last one. */
cJSON *tree_copy(const cJSON *tree);

/* A tree from text that must be sound JSON; a program's own, so a fault aborts. */
cJSON *tree_parse(const char *json);

/* Parses a review as it is on the wire. U+0000 becomes TREE_NUL. NULL if it is not JSON. */
cJSON *tree_parse_wire(const char *text);

#endif
