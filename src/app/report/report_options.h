// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_REPORT_OPTIONS_H
#define APP_REPORT_REPORT_OPTIONS_H

/*
 * The options that the commands with a report share: the policy, the form, and the exit status.
 */

#include <stdbool.h>

#include "base/attribute.h"
#include "options.h"
#include "report.h"

/* A denial makes the exit status 1. This says whether something less does too. */
enum report_threshold { FAIL_ON_DENIAL, FAIL_ON_WARNING, FAIL_ON_CHANGE };

struct report_options {
    const char *config; /* NULL: every rule has its default */
    const char *output;
    const char *fail_on;
    bool has_diff;
    bool explains;
    bool is_verbose;
    /* These follow from the texts above. */
    const struct report_form *form;
    enum report_threshold threshold;
};

#define REPORT_OPTIONS_DEFAULT                                                                     \
    { .output = "text" }

/* Rows of a command's table. Its target, a `type`, has a struct report_options as `member`. */
#define REPORT_OPTION(TYPE, NAME, LETTER, ARGUMENT, OFFSET, HELP)                                  \
    { NAME, ARGUMENT, HELP, OPTION_##TYPE, OFFSET, LETTER }
#define REPORT_OPTION_POLICY(type, member)                                                         \
    REPORT_OPTION(TEXT, "config", 0, "FILE", offsetof(type, member.config),                        \
                  "the policy; default: every rule has its default")
#define REPORT_OPTION_FORMS(type, member)                                                          \
    REPORT_OPTION(TEXT, "output", 'o', "FORM", offsetof(type, member.output),                      \
                  "text (default), json, yaml, patch, github, sarif or junit"),                    \
        REPORT_OPTION(SWITCH, "diff", 0, NULL, offsetof(type, member.has_diff),                    \
                      "with text: show the changes as a unified diff"),                            \
        REPORT_OPTION(SWITCH, "explain", 0, NULL, offsetof(type, member.explains),                 \
                      "with text, json and junit: give the reason of each rule"),                  \
        REPORT_OPTION(TEXT, "fail-on", 0, "WHAT", offsetof(type, member.fail_on),                  \
                      "exit 1 also on a warning (or change), or only on a change")

/* Checks the options and fills in what follows from them. */
bool report_options_check(struct report_options *options, struct error *error) MUST_CHECK;

#endif
