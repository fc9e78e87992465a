// SPDX-License-Identifier: Apache-2.0
#ifndef APP_STATUS_H
#define APP_STATUS_H

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
#include "core/facts.h"
#include "edge/log.h"
#include "edge/metrics.h"

/* Makes the folder if it is not there. Refuses one that lies at or below one of the paths that
   objects are read from: what is written there would be read as objects. */
bool status_open_folder(const char *folder, const char *const *object_paths, size_t n_object_paths,
                        struct error *error) MUST_CHECK;

/* One pass over all MCPServers. What cannot be written is logged, and tried again by the next pass.
 */
void status_write_folder(struct facts *facts, const char *folder, const struct log *log,
                         struct metrics *metrics);

#endif
