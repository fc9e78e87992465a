// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REPORT_FORMS_H
#define APP_REVIEW_REPORT_FORMS_H

/*
 * The forms of a report, one file each, and what several of them need.
 */

#include "base/json_write.h"
#include "report.h"

extern const struct report_form report_text;
extern const struct report_form report_json;
extern const struct report_form report_yaml;
extern const struct report_form report_patch;
extern const struct report_form report_github;
extern const struct report_form report_sarif;
extern const struct report_form report_junit;

/* Would the API server take the object? Not if it is denied, or unresolved under onUnresolved:
   fail. */
bool report_is_admitted(const struct report_item *item);

bool report_is_changed(const struct report_item *item);

/* "error", "warning" or "note". */
const char *report_level_name(enum report_level level);

/* "default/github", or the name alone where there is no namespace, as it stands: to be escaped. */
void report_add_name(struct buffer *out, const struct report_item *item);

/* "Deployment default/github: text", as it stands: to be escaped. */
void report_add_sentence(struct buffer *out, const struct report_item *item, const char *text);

/* "3 objects: 1 denied, ..." without a line break. */
void report_add_summary(struct buffer *out, const struct report_totals *totals);

/* Members of an object: "file", "line", and so on to "name". */
void report_write_identity(struct json_write *write, const struct report_item *item);

/* The member "patch". */
void report_write_patch(struct json_write *write, const struct decision *decision);

/* Is the item of another file than the one before? Then it is the first of its group. */
bool report_is_new_group(const struct report *report, const struct report_item *item);

/* Begins the item's group: its path is kept, and the counts of the group are 0. */
void report_begin_group(struct report *report, const struct report_item *item);

void report_print(struct report *report, const struct buffer *bytes);

#endif
