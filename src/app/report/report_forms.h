// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_REPORT_FORMS_H
#define APP_REPORT_REPORT_FORMS_H

/*
 * The forms of a report, and the functions that several of them call.
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

/* Does a report list the object? It lists objects that are passed over only under -v. */
bool report_is_shown(const struct report *report, const struct report_item *item);

/* "error", "warning" or "note". */
const char *report_level_name(enum report_level level);

/* "default/github", or the name alone where there is no namespace. Not escaped. */
void report_add_name(struct buffer *out, const struct report_item *item);

/* "Deployment default/github: text". Not escaped. */
void report_add_sentence(struct buffer *out, const struct report_item *item, const char *text);

/* The line "3 objects: 1 denied, ...". */
void report_add_summary(struct buffer *out, const struct report_totals *totals);

/* The members of an object from "file", "line" to "name". */
void report_write_identity(struct json_write *write, const struct report_item *item);

/* The member "patch". */
void report_write_patch(struct json_write *write, const struct decision *decision);

/* The group of an item: its file or, of a cluster's object, its namespace. */
const char *report_group(const struct report *report, const struct report_item *item);

/* Is the item of another group than the one before? Then it is the first of its group. */
bool report_is_new_group(const struct report *report, const struct report_item *item);

/* Begins the item's group: keeps its path, and sets the counts of the group to 0. */
void report_begin_group(struct report *report, const struct report_item *item);

#endif
