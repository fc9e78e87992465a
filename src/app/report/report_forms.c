// SPDX-License-Identifier: Apache-2.0
#include "report_forms.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

bool report_is_admitted(const struct report_item *item) {
    return item->decision == NULL || (!item->decision->is_denied && !item->decision->fails);
}

bool report_is_changed(const struct report_item *item) {
    return item->decision != NULL && report_is_admitted(item) &&
           !patch_is_empty(&item->decision->patch);
}

const char *report_level_name(enum report_level level) {
    static const char *const names[] = {
        [REPORT_NOTE] = "note", [REPORT_WARNING] = "warning", [REPORT_ERROR] = "error"};
    return names[level];
}

void report_add_name(struct buffer *out, const struct report_item *item) {
    const char *slash = item->namespace[0] != '\0' ? "/" : "";
    const char *name = item->name[0] != '\0' ? item->name : "(no name)";
    buffer_add_format(out, "%s%s%s", item->namespace, slash, name);
}

void report_add_sentence(struct buffer *out, const struct report_item *item, const char *text) {
    buffer_add_format(out, "%s ", item->kind);
    report_add_name(out, item);
    buffer_add_format(out, ": %s", text);
}

void report_add_summary(struct buffer *out, const struct report_totals *totals) {
    buffer_add_format(out,
                      "%zu object%s: %zu denied, %zu changed, %zu warned, %zu unresolved; "
                      "%zu passed over\n",
                      totals->n_objects, totals->n_objects == 1 ? "" : "s", totals->n_denied,
                      totals->n_changed, totals->n_warned, totals->n_unresolved,
                      totals->n_passed_over);
}

void report_write_identity(struct json_write *write, const struct report_item *item) {
    json_write_member_text(write, "file", item->path);
    json_write_member_integer(write, "line", item->line);
    json_write_member_integer(write, "column", item->column);
    json_write_member_text(write, "apiVersion", item->api_version);
    json_write_member_text(write, "kind", item->kind);
    json_write_member_text(write, "namespace", item->namespace);
    json_write_member_text(write, "name", item->name);
}

void report_write_patch(struct json_write *write, const struct decision *decision) {
    json_write_key(write, "patch");
    patch_write(&decision->patch, write);
}

bool report_is_shown(const struct report *report, const struct report_item *item) {
    return item->decision != NULL || report->is_verbose;
}

const char *report_group(const struct report *report, const struct report_item *item) {
    return report->is_live ? item->namespace : item->path;
}

bool report_is_new_group(const struct report *report, const struct report_item *item) {
    return report->group_path == NULL ||
           strcmp(report->group_path, report_group(report, item)) != 0;
}

void report_begin_group(struct report *report, const struct report_item *item) {
    const char *group = report_group(report, item);
    free(report->group_path);
    report->group_path = memory_copy(group, strlen(group));
    report->n_in_group = report->n_failed_in_group = report->n_skipped_in_group = 0;
    buffer_clear(&report->group);
}
