// SPDX-License-Identifier: Apache-2.0
#include "exit_status.h"

#include "complain.h"

int exit_with(const struct error *error) {
    complain(error->text);
    bool is_users_fault = error->kind == ERROR_INVALID || error->kind == ERROR_NOT_FOUND ||
                          error->kind == ERROR_TOO_LARGE;
    return is_users_fault ? STATUS_USAGE : STATUS_FAILED;
}
