// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_STATUS_FOLDER_H
#define APP_SERVE_STATUS_FOLDER_H

/*
 * The companion loop's work: keeps the two conditions of every MCPServer as they should be. Without
 * a cluster they stand in a folder, one file each: <namespace>/<name>.json.
 *
 * Nothing is remembered between passes: each compares what should be there with what is there, so a
 * pass after a restart, or after somebody changed a file, does what is needed and no more.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/facts.h"
#include "edge/log.h"
#include "edge/metrics.h"

/* Makes the folder if it is not there. Refuses one that has to do with a path that objects are read
   from, above it or below: what is written there would be read as objects, or overwrite them. */
bool status_folder_open(const char *folder, const char *const *object_paths, size_t n_object_paths,
                        struct error *error) MUST_CHECK;

/* One pass over all MCPServers. Returns how many could not be written, and of the first of them
   why; the next pass tries again. */
size_t status_folder_write(struct facts *facts, const char *folder, struct log *log,
                           struct metrics *metrics, struct error *ret_problem);

#endif
