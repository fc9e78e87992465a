// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_REPORT_H
#define ORACLE_REPORT_H

/*
 * Makes a difference small, and prints it so that a golden case can be made of it.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "oracle.h"

/* Tells whether the trial still shows what is to be reported. */
typedef bool report_shows(const void *context, const cJSON *trial, enum world world);

/* Drops members and items as long as the trial shows it. */
void report_shrink(cJSON *trial, enum world world, report_shows *shows, const void *context);

/* Prints the trial in the format of tests/cases, with the oracle's answer as what is expected. */
void report_print(const cJSON *trial, enum world world, const cJSON *expected,
                  const cJSON *answered);

#endif
