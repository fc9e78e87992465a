// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_ADDRESS_H
#define EDGE_HTTP_HTTP_ADDRESS_H

/*
 * Bind addresses as an admin writes them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"

/* Listens on "0.0.0.0:9443", "[::]:9443" or ":9443". The last means all addresses, or only those of
   IPv4 if the machine has no IPv6. An IPv6 socket accepts IPv4 connections too. Host names other
   than localhost are ERROR_INVALID; a port that cannot be had is ERROR_UNAVAILABLE. The socket does
   not block. */
bool http_address_listen(const char *text, int *ret_fd, struct error *error) MUST_CHECK;

/* The port of a bound socket, or 0 if it has none. */
uint16_t http_address_port(int fd);

#endif
