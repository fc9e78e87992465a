// SPDX-License-Identifier: Apache-2.0
#include "complain.h"

#include <stdint.h>
#include <stdio.h>

#include "report_escape.h"

void complain(const char *text) {
    AUTO(buffer_fini) struct buffer line;
    buffer_init(&line, SIZE_MAX);
    buffer_add_text(&line, "capstan: ");
    report_escape_line(&line, text);
    buffer_add_byte(&line, '\n');
    fwrite(line.bytes, 1, line.size, stderr);
}
