// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_GOLDEN_H
#define ORACLE_GOLDEN_H

/*
 * The oracle answers the golden cases too. Otherwise it could be as wrong as the program.
 */

#include <stddef.h>

/* Prints each case on which the oracle does not say what the case expects. Returns their number. */
size_t golden_compare(const char *folder, size_t *ret_n_cases);

#endif
