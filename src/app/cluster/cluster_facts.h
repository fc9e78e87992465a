// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_CLUSTER_FACTS_H
#define APP_CLUSTER_CLUSTER_FACTS_H

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/facts.h"

/* Lists the family and the Deployments of a live cluster into the facts, once, within 30 s. A kind
   whose CRD is not installed has no objects. */
bool cluster_facts_load(const char *kubeconfig, struct facts *facts,
                        struct error *error) MUST_CHECK;

#endif
