// SPDX-License-Identifier: Apache-2.0
#include "gauges.h"

void gauges_set(struct metrics *metrics, struct facts *facts, enum object_kind kind) {
    static const enum metric gauges[OBJECT_KIND_COUNT] = {
        [OBJECT_MCPSERVER] = METRIC_MCPSERVERS,
        [OBJECT_MCPREMOTEPROXY] = METRIC_MCPREMOTEPROXIES,
        [OBJECT_VIRTUALMCPSERVER] = METRIC_VIRTUALMCPSERVERS,
        [OBJECT_DEPLOYMENT] = METRIC_DEPLOYMENTS,
    };
    metrics_set(metrics, gauges[kind], (int64_t)facts_count(facts, kind));
}
