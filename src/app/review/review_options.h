// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REVIEW_OPTIONS_H
#define APP_REVIEW_REVIEW_OPTIONS_H

/*
 * The command line of `capstan review`.
 */

#include <stdbool.h>

#include "base/attribute.h"
#include "options.h"
#include "report/report_options.h"

struct review_options {
    struct option_texts paths;
    struct option_texts facts;
    struct option_texts old;
    const char *kubeconfig;
    const char *defaults;
    struct report_options report;
    bool fills_defaults; /* follows from `defaults` */
};

/* As options_begin(). Free with review_options_fini() in either case. */
bool review_options_read(int argc, char **argv, struct review_options *ret_options,
                         int *ret_status) MUST_CHECK;
void review_options_fini(struct review_options *options);

#endif
