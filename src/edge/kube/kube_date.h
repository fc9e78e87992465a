// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_DATE_H
#define EDGE_KUBE_KUBE_DATE_H

/*
 * Reads the date of an HTTP header, in the three formats that RFC 9110, 5.6.7, makes clients
 * accept:
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT
 *     Sunday, 06-Nov-94 08:49:37 GMT
 *     Sun Nov  6 08:49:37 1994
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"

/* `now_s` tells the century of a year of two digits: it is at most 50 years in the future. Returns
   false if it is no date. Both are in seconds since 1970. */
bool kube_date_read(const char *text, int64_t now_s, int64_t *ret_seconds) MUST_CHECK;

#endif
