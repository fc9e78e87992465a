// SPDX-License-Identifier: Apache-2.0
#include "exit_status.h"

#include <stdio.h>

int exit_with(const struct error *error) {
    fprintf(stderr, "capstan: %s\n", error->text);
    bool is_askers_fault = error->kind == ERROR_INVALID || error->kind == ERROR_NOT_FOUND ||
                           error->kind == ERROR_TOO_LARGE;
    return is_askers_fault ? STATUS_USAGE : STATUS_FAILED;
}
