// SPDX-License-Identifier: Apache-2.0
#include "exit_status.h"

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

int exit_with(const struct error *error) {
    complain(error->text);
    bool is_users_fault = error->kind == ERROR_INVALID || error->kind == ERROR_NOT_FOUND ||
                          error->kind == ERROR_TOO_LARGE;
    return is_users_fault ? STATUS_USAGE : STATUS_FAILED;
}
