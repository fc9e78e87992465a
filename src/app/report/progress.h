// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_PROGRESS_H
#define APP_REPORT_PROGRESS_H

/*
 * A line on standard error that tells how far a command is: "auditing ... 1500". Only a terminal
 * gets it. Each one overwrites the last, and in the end nothing is left.
 */

#include <stdbool.h>
#include <stddef.h>

struct progress {
    bool is_on;
    bool is_shown;
};

/* Turned on, it shows if standard error is a terminal. */
void progress_turn(struct progress *progress, bool on);

/* Shows the line in place of the last one. */
void progress_show(struct progress *progress, const char *words, size_t n);

/* Wipes the line, before anything else goes to the terminal. */
void progress_wipe(struct progress *progress);

#endif
