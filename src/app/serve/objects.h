// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_OBJECTS_H
#define APP_SERVE_OBJECTS_H

/*
 * Reads the facts from files, in place of a cluster: MCPServers and Deployments as manifests.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/facts.h"
#include "edge/log.h"
#include "options.h"

/* Reads every file at or below the paths, and makes the facts equal to what they hold. On an error,
   which names file, line and column, the facts stay as they are. An empty file is an error, since
   somebody may be writing it just now. Leaves out an object that no cluster could hold, and of an
   object that stands there twice takes the last; both are logged. *ret_n_others is the number of
   objects whose kinds mean nothing here. */
bool objects_load(const struct option_texts *paths, struct facts *facts, struct log *log,
                  size_t *ret_n_others, struct error *error) MUST_CHECK;

#endif
