// SPDX-License-Identifier: Apache-2.0
#include "report_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "report.h"
#include "report_escape.h"
#include "rule_text.h"

enum { NAME_WIDTH = 24, OBJECTS_WIDTH = 8 };

void report_table_fini(struct report_table *table) {
    for (size_t i = 0; i < table->n_rows; i++) {
        free(table->rows[i].namespace);
    }
    free(table->rows);
    *table = (struct report_table){.n_rows = 0};
}

static struct report_table_row *row_of(struct report_table *table, const char *namespace) {
    size_t n = table->n_rows;
    if (n > 0 && strcmp(table->rows[n - 1].namespace, namespace) == 0) {
        return &table->rows[n - 1];
    }
    table->rows = memory_grow(table->rows, n, sizeof(table->rows[0]));
    table->n_rows++;
    table->rows[n] =
        (struct report_table_row){.namespace = memory_copy(namespace, strlen(namespace))};
    return &table->rows[n];
}

void report_table_count(struct report_table *table, const struct report_item *item) {
    struct report_table_row *row = row_of(table, item->namespace);
    row->n_objects++;
    for (size_t i = 0; i < item->n_findings; i++) {
        const struct rule_text *rule = rule_text_find(item->findings[i].rule);
        row->n_findings[rule - rule_texts]++;
    }
}

static size_t sum_of(const struct report_table *table, size_t rule) {
    size_t sum = 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        sum += table->rows[i].n_findings[rule];
    }
    return sum;
}

static void add_head(const struct report_table *table, struct buffer *out) {
    buffer_add_format(out, "%-*s%*s", NAME_WIDTH, "namespace", OBJECTS_WIDTH, "objects");
    for (size_t rule = 0; rule < REPORT_TABLE_RULES; rule++) {
        if (sum_of(table, rule) > 0) {
            buffer_add_format(out, "  %s", rule_texts[rule].id);
        }
    }
    buffer_add_byte(out, '\n');
}

static void add_row(const struct report_table *table, const struct report_table_row *row,
                    struct buffer *out) {
    size_t start = out->size;
    report_escape_line(out, row->namespace);
    size_t used = out->size - start;
    buffer_add_format(out, "%*s%*zu", used < NAME_WIDTH ? (int)(NAME_WIDTH - used) : 1, "",
                      OBJECTS_WIDTH, row->n_objects);
    for (size_t rule = 0; rule < REPORT_TABLE_RULES; rule++) {
        if (sum_of(table, rule) > 0) {
            buffer_add_format(out, "  %*zu", (int)strlen(rule_texts[rule].id),
                              row->n_findings[rule]);
        }
    }
    buffer_add_byte(out, '\n');
}

void report_table_add(const struct report_table *table, struct buffer *out) {
    size_t n_findings = 0;
    for (size_t rule = 0; rule < REPORT_TABLE_RULES; rule++) {
        n_findings += sum_of(table, rule);
    }
    if (n_findings == 0) {
        return;
    }
    add_head(table, out);
    for (size_t i = 0; i < table->n_rows; i++) {
        add_row(table, &table->rows[i], out);
    }
    buffer_add_byte(out, '\n');
}

void report_table_write(const struct report_table *table, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '[');
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct report_table_row *row = &table->rows[i];
        json_write_open(&write, '{');
        json_write_member_text(&write, "namespace", row->namespace);
        json_write_member_integer(&write, "objects", (int64_t)row->n_objects);
        json_write_member_open(&write, "findings", '{');
        for (size_t rule = 0; rule < REPORT_TABLE_RULES; rule++) {
            if (row->n_findings[rule] > 0) {
                json_write_member_integer(&write, rule_texts[rule].id,
                                          (int64_t)row->n_findings[rule]);
            }
        }
        json_write_close(&write, '}');
        json_write_close(&write, '}');
    }
    json_write_close(&write, ']');
}
