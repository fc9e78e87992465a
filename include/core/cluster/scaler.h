// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_SCALER_H
#define CORE_CLUSTER_SCALER_H

/*
 * Finds, in a list of HorizontalPodAutoscalers (autoscaling/v2), the one that scales a Deployment,
 * and the ScaledObject that KEDA made it for.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "core/facts/object.h"

struct scaler {
    char name[OBJECT_NAME_SIZE];
    char scaled_object[OBJECT_NAME_SIZE]; /* empty: KEDA has no part in it */
};

/* False if the list has none, or cannot be read. */
bool scaler_find(const char *json, size_t size, const char *deployment,
                 struct scaler *ret_scaler) MUST_CHECK;

#endif
