// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_REPORT_H
#define APP_REPORT_REPORT_H

/*
 * Prints what `capstan review` found, in the form that -o names. The caller hands over objects one
 * by one, in the order of the files and of the documents in them. A report keeps none of them
 * after the call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "core/admission/decision.h"
#include "report_table.h"

enum report_level { REPORT_NOTE, REPORT_WARNING, REPORT_ERROR };

/* The outcome of one rule for one object. */
struct report_finding {
    const char *rule;        /* "stdio-cap", or "unresolved" */
    enum report_level level; /* ERROR: denied, or unresolved under onUnresolved: fail; WARNING: a
                                warning, with a change or not; NOTE: a change without one */
    bool is_change;
    char text[DECISION_NOTE_SIZE]; /* one line, without the rule's name: the change, the warning */
};

enum { REPORT_FINDINGS_MAX = RULE_COUNT + 1 };

/* One object. Everything is borrowed for the call. */
struct report_item {
    const char *path; /* the file as it was named or found; "<stdin>" */
    uint32_t line;    /* where the object begins, from 1 */
    uint32_t column;
    const char *api_version;
    const char *kind;
    const char *namespace; /* empty where it has none */
    const char *name;
    const char *operation; /* "CREATE" or "UPDATE"; of a recorded review, its own */
    /* NULL: Capstan decides nothing about its kind and passes it over. */
    const struct decision *decision;

    /* The object as JSON, not NUL-terminated: as submitted (with the API server's defaults, if
       they are asked for) and as admitted. The same bytes if nothing is changed. */
    const char *submitted;
    size_t submitted_size;
    const char *admitted;
    size_t admitted_size;

    const char *remark;      /* one line that people need to understand the verdict; NULL: none */
    const char *explanation; /* of --explain: lines, each with its newline; NULL: not asked for */

    /* Filled in by report_item(), for the forms. */
    const struct report_finding *findings;
    size_t n_findings;
};

struct report_totals {
    size_t n_objects; /* decided about */
    size_t n_denied;
    size_t n_changed;
    size_t n_warned; /* with at least one warning, denied or changed or not */
    size_t n_unresolved;
    size_t n_passed_over;
};

struct report_form;

struct report {
    const struct report_form *form;
    FILE *out;
    bool is_coloured;
    bool has_diff;       /* --diff: of the text form */
    bool is_verbose;     /* -v: shows objects that are passed over as well */
    bool is_live;        /* the objects are a cluster's, not of files: a namespace is a group */
    const char *version; /* of the program */
    /* The rest is the form's own. */
    struct buffer bytes;       /* to be printed next */
    struct buffer group;       /* gathered for one file */
    char *group_path;          /* its name: the file, or the namespace; NULL: none yet */
    struct report_table table; /* of a cluster's objects */
    size_t n_in_group;
    size_t n_failed_in_group;
    size_t n_skipped_in_group;
    size_t n_written; /* items, documents or results so far */
};

/* Its functions add to `out`, which is printed after each call. `begin` and `end` may be NULL. */
struct report_form {
    const char *name; /* as -o has it */
    const char *help; /* a few words */
    bool shows_diff;
    bool shows_explanation;
    bool omits_refused; /* it has no room for an object that is not admitted */
    void (*begin)(struct report *report, struct buffer *out);
    void (*item)(struct report *report, const struct report_item *item, struct buffer *out);
    void (*end)(struct report *report, const struct report_totals *totals, struct buffer *out);
};

/* NULL if no form has that name. */
const struct report_form *report_find_form(const char *name);

/* All of them, the default first; NULL behind the last. */
extern const struct report_form *const report_forms[];

/* `report` has its options set, and the rest zero. Write errors show in ferror() of `out`. */
void report_begin(struct report *report);
void report_item(struct report *report, const struct report_item *item);
void report_end(struct report *report, const struct report_totals *totals);

/* In the order of the rules. Returns how many there are. They borrow from the decision. */
size_t report_findings(const struct decision *decision,
                       struct report_finding ret_findings[REPORT_FINDINGS_MAX]);

#endif
