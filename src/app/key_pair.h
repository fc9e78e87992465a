// SPDX-License-Identifier: Apache-2.0
#ifndef APP_KEY_PAIR_H
#define APP_KEY_PAIR_H

/*
 * The serving certificate from a folder, as cert-manager or `capstan certs` leaves it there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/http.h"

/* Reads both files, checks that they are a pair and valid now, and serves them. On an error the
   server keeps the pair that it had. *ret_expires: seconds since 1970. */
bool key_pair_load(const char *folder, const char *certificate_name, const char *key_name,
                   struct http_server *server, int64_t *ret_expires,
                   struct error *error) MUST_CHECK;

#endif
