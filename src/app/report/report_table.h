// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_REPORT_TABLE_H
#define APP_REPORT_REPORT_TABLE_H

/*
 * Counts findings by namespace and rule, for a report about a cluster.
 */

#include <stddef.h>

#include "base/buffer.h"
#include "core/admission/rule.h"

struct report_item;

enum { REPORT_TABLE_RULES = RULE_COUNT + 1 }; /* the last is "unresolved" */

struct report_table_row {
    char *namespace;
    size_t n_objects;
    size_t n_findings[REPORT_TABLE_RULES];
};

/* A zeroed one is empty. */
struct report_table {
    struct report_table_row *rows;
    size_t n_rows;
};

void report_table_fini(struct report_table *table);

/* Counts an object. Objects of one namespace follow one another. */
void report_table_count(struct report_table *table, const struct report_item *item);

/* For people: a column for each rule with findings. Nothing if there are none. */
void report_table_add(const struct report_table *table, struct buffer *out);

/* As JSON: [{"namespace", "objects", "findings": {"stdio-cap": 2, ...}}, ...], without the zeros.
 */
void report_table_write(const struct report_table *table, struct buffer *out);

#endif
