// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REPORT_H
#define APP_REVIEW_REPORT_H

/*
 * What `capstan review` found, in the form that was asked for. A form (-o) is three functions: at
 * the beginning, for each object, and at the end. Objects are handed over one by one, in the order
 * of the files and of the documents in them, and each is gone after the call: no form keeps them
 * all.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "core/admission/decision.h"

/* One object. Everything is borrowed for the call. */
struct report_item {
    const char *path; /* the file as it was named or found; "<stdin>" */
    uint32_t line;    /* where the object begins, from 1 */
    uint32_t column;
    const char *api_version;
    const char *kind;
    const char *namespace; /* empty where it has none */
    const char *name;
    const char *operation; /* "CREATE" or "UPDATE"; of a recorded review what that says */
    /* NULL: nothing is decided about its kind; it is passed over. */
    const struct decision *decision;

    /* The object as JSON, not NUL-terminated: as it is submitted (with the API server's defaults
       filled in, if they are asked for), and as it is admitted. The same bytes if nothing is
       changed. */
    const char *submitted;
    size_t submitted_size;
    const char *admitted;
    size_t admitted_size;

    const char *remark; /* one line on how the defaults matter to the verdict; NULL: not at all */
    const char *explanation; /* of --explain: lines, each with its newline; NULL: not asked for */
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
    bool is_verbose;     /* -v: tell of what is passed over as well */
    const char *version; /* of the program */
    /* The form's own. */
    struct buffer group; /* what it gathers for a file */
    char *group_path;    /* of that file; NULL: no file yet */
    size_t n_in_group;
    size_t n_failed_in_group;
    size_t n_skipped_in_group;
    size_t n_written; /* items, documents or results so far */
};

struct report_form {
    const char *name; /* as -o has it */
    const char *help; /* a few words */
    void (*begin)(struct report *report);
    void (*item)(struct report *report, const struct report_item *item);
    void (*end)(struct report *report, const struct report_totals *totals);
};

/* NULL if there is none of that name. */
const struct report_form *report_find_form(const char *name);

/* All of them, the default first; NULL behind the last. */
extern const struct report_form *const report_forms[];

/* `report` has its options set, and the rest zero. Whether `out` took it all, ferror() tells. */
void report_begin(struct report *report);
void report_item(struct report *report, const struct report_item *item);
void report_end(struct report *report, const struct report_totals *totals);

/* What a decision says of one object, in the order of the rules: for forms to go through. */
enum report_level { REPORT_NOTE, REPORT_WARNING, REPORT_ERROR };

struct report_finding {
    const char *rule;        /* "stdio-cap", or "unresolved" */
    enum report_level level; /* ERROR: denied, or unresolved under onUnresolved: fail; WARNING: a
                                warning, with a change or not; NOTE: a change without one */
    bool is_change;
    char text[DECISION_NOTE_SIZE]; /* one line, without the rule's name: the change, the warning */
};

enum { REPORT_FINDINGS_MAX = RULE_COUNT + 1 };

/* Returns how many there are. */
size_t report_findings(const struct decision *decision,
                       struct report_finding ret_findings[REPORT_FINDINGS_MAX]);

#endif
