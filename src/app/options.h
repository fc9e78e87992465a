// SPDX-License-Identifier: Apache-2.0
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

/*
 * Parses options, and prints the help, from one table. An option is `--name VALUE` or
 * `--name=VALUE`; a switch is a bare `--name`, `--name=true` or `--name=false`. Some options have a
 * letter, too: `-n VALUE`, `-nVALUE`, `-n=VALUE`, as with kubectl.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/attribute.h"
#include "base/error.h"

enum option_type {
    OPTION_SWITCH,   /* bool */
    OPTION_TEXT,     /* const char *, borrowed from argv */
    OPTION_TEXTS,    /* struct option_texts: may be given several times */
    OPTION_DURATION, /* int64_t, milliseconds */
    OPTION_COUNT,    /* int64_t, from 1 to 1024 */
};

struct option_texts {
    const char **items; /* the strings are borrowed from argv */
    size_t n_items;
};

void option_texts_fini(struct option_texts *texts);

struct option {
    const char *name;     /* without the dashes */
    const char *argument; /* what the help calls the value; NULL for a switch */
    const char *help;     /* one line; the default is named in it */
    enum option_type type;
    size_t offset; /* of the member that it sets, in the target */
    char letter;   /* "-f" is 'f'; 0: none */
};

/* A command's options and the words around them. */
struct option_table {
    const char *usage;   /* "capstan serve --objects PATH [option]..." */
    const char *summary; /* a sentence or two */
    const struct option *options;
    size_t n_options;
    const char *epilogue; /* printed below the options; NULL for none */
    /* Checks the target after the last option; NULL: there is nothing to check. */
    bool (*check)(void *target, struct error *error);
};

enum option_result { OPTIONS_READ, OPTIONS_HELP, OPTIONS_WRONG };

/* Sets members of `target`, which holds the defaults. Reads from left to right and stops with
   OPTIONS_HELP at --help or -h, or with OPTIONS_WRONG and the error set at an unknown option or a
   wrong value. */
enum option_result options_parse(const struct option_table *table, int argc, char **argv,
                                 void *target, struct error *error) MUST_CHECK;

void options_print_help(const struct option_table *table, FILE *out);

/* Begins a command: parses and checks, and prints the help or the error. False: the command ends
 *here, with ret_status. */
bool options_begin(const struct option_table *table, int argc, char **argv, void *target,
                   int *ret_status) MUST_CHECK;

/* True if standard output is a terminal, and NO_COLOR is not set (no-color.org). */
bool options_want_colour(void);

#endif
