// SPDX-License-Identifier: Apache-2.0
#include "exit_status.h"

#include <stdio.h>

/* An error may quote what a user or a file said, and is one line all the same. */
static void print_line(const char *text) {
    fputs("capstan: ", stderr);
    for (; *text != '\0'; text++) {
        bool is_control = (unsigned char)*text < ' ' || *text == 0x7f;
        fputc(is_control ? '?' : *text, stderr);
    }
    fputc('\n', stderr);
}

int exit_with(const struct error *error) {
    print_line(error->text);
    bool is_askers_fault = error->kind == ERROR_INVALID || error->kind == ERROR_NOT_FOUND ||
                           error->kind == ERROR_TOO_LARGE;
    return is_askers_fault ? STATUS_USAGE : STATUS_FAILED;
}
