// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_FRAMING_H
#define EDGE_HTTP_HTTP_FRAMING_H

/*
 * Finds the end of a request by its headers. A request is refused if other software could see
 * another end (RFC 9112, 6.3 and 11.2).
 *
 * MHD reads these without telling us, so they are not refused: a bare LF as the end of a line, a
 * value cut off at a NUL, a line that begins with a colon (MHD takes it for the end of the
 * headers), blanks around the parts of the request line, extensions of chunks, and trailers, which
 * MHD drops.
 */

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"

struct http_framing {
    bool has_body;
    uint64_t announced; /* Content-Length, or 0 if there is none */
};

/* Returns false if the end is not clear. */
bool http_framing_read(struct MHD_Connection *mhd, const char *version,
                       struct http_framing *ret_framing) MUST_CHECK;

#endif
