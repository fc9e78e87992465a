// SPDX-License-Identifier: Apache-2.0
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

/*
 * One table of options makes the parser and the help. Options are `--name VALUE`, `--name=VALUE`,
 * or a bare `--name` (also `--name=true`, `--name=false`) for a switch; some have a letter too, `-n
 * VALUE`, `-nVALUE`, `-n=VALUE`, as with kubectl.
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
    size_t offset; /* of the member of the target that it sets */
    char letter;   /* "-f" is 'f'; 0: none */
};

/* A command's options and the words around them. */
struct option_table {
    const char *usage;   /* "capstan serve --objects PATH [option]..." */
    const char *summary; /* a sentence or two */
    const struct option *options;
    size_t n_options;
    const char *epilogue; /* printed below the options; NULL for none */
};

enum option_result { OPTIONS_READ, OPTIONS_HELP, OPTIONS_WRONG };

/* Sets members of `target`, which holds the defaults. From left to right: OPTIONS_HELP at --help or
   -h in the place of an option; OPTIONS_WRONG, with the error set, at what is not known or has a
   wrong value. */
enum option_result options_parse(const struct option_table *table, int argc, char **argv,
                                 void *target, struct error *error) MUST_CHECK;

void options_print_help(const struct option_table *table, FILE *out);

/* The whole ritual of a command: parses, prints the help or the error. False if the command ends
   here, with *ret_status. */
bool options_begin(const struct option_table *table, int argc, char **argv, void *target,
                   int *ret_status) MUST_CHECK;

#endif
