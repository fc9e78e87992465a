// SPDX-License-Identifier: Apache-2.0
#ifndef APP_GAUGES_H
#define APP_GAUGES_H

/*
 * The metrics that count the known objects.
 */

#include "core/facts/facts.h"
#include "edge/metrics.h"

/* Sets the gauge of a kind of the family, or of Deployments. */
void gauges_set(struct metrics *metrics, struct facts *facts, enum object_kind kind);

#endif
