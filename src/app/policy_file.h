// SPDX-License-Identifier: Apache-2.0
#ifndef APP_POLICY_FILE_H
#define APP_POLICY_FILE_H

#include "base/attribute.h"
#include "base/error.h"
#include "core/admission/policy.h"

/* Reads a PolicyConfig from a file of YAML or JSON. Errors name file, line, column and the path of
   the key. */
bool policy_file_read(const char *path, struct policy **ret_policy, struct error *error) MUST_CHECK;

#endif
