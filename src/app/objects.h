// SPDX-License-Identifier: Apache-2.0
#ifndef APP_OBJECTS_H
#define APP_OBJECTS_H

/*
 * The facts from files: MCPServers and Deployments as manifests, in place of a cluster.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts.h"
#include "edge/log.h"

/* Reads every file at or below the paths and makes the facts equal to what they hold. On an error
   (which names file, line and column) the facts stay as they are. An object that no cluster could
   hold is left out, and one that stands there twice counts as it stands last; the log says so. */
bool objects_load(const char *const *paths, size_t n_paths, struct facts *facts,
                  const struct log *log, struct error *error) MUST_CHECK;

#endif
