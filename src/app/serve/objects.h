// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_OBJECTS_H
#define APP_SERVE_OBJECTS_H

/*
 * The facts from files: MCPServers and Deployments as manifests, in place of a cluster.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/facts.h"
#include "edge/log.h"
#include "options.h"

/* Reads every file at or below the paths and makes the facts equal to what they hold. On an error
   (which names file, line and column) the facts stay as they are; an empty file is one too, since
   it may be in the middle of being written. An object that no cluster could hold is left out, and
   one that stands there twice counts as it stands last; the log says so. *ret_n_others: how many
   objects of kinds that mean nothing here there were. */
bool objects_load(const struct option_texts *paths, struct facts *facts, struct log *log,
                  size_t *ret_n_others, struct error *error) MUST_CHECK;

#endif
