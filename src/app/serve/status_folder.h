// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_STATUS_FOLDER_H
#define APP_SERVE_STATUS_FOLDER_H

/*
 * Keeps the two conditions of every MCPServer where there is no cluster: in a folder, one file an
 * MCPServer, <namespace>/<name>.json. A pass remembers nothing of the one before: it compares the
 * files, so it also repairs one that somebody has changed.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/facts.h"
#include "edge/log.h"
#include "edge/metrics.h"

/* Makes the folder if it is not there. Refuses a folder that is, contains or lies below a path that
   objects are read from: the files would be read as objects, or would overwrite them. */
bool status_folder_open(const char *folder, const char *const *object_paths, size_t n_object_paths,
                        struct error *error) MUST_CHECK;

/* Makes one pass over all MCPServers. Returns the number of files that it could not write or
   remove, and the problem of the first. The next pass tries again. */
size_t status_folder_write(struct facts *facts, const char *folder, struct log *log,
                           struct metrics *metrics, struct error *ret_problem);

#endif
