// SPDX-License-Identifier: Apache-2.0

/*
 * The functions of cluster.h for the Lease.
 */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

void cluster_put_lease(const struct cluster *cluster, const char *holder) {
    char json[1024];
    char second[TEXT_TIME_SIZE];
    int64_t micros = clock_boot_us() % 1000000;
    text_format_time(second, clock_wall_seconds());
    second[strlen(second) - 1] = '\0';
    snprintf(json, sizeof(json),
             "{\"metadata\":{\"namespace\":\"" CLUSTER_NAMESPACE "\",\"name\":\"capstan\"},"
             "\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":15,"
             "\"acquireTime\":\"%s.%06dZ\",\"renewTime\":\"%s.%06dZ\",\"leaseTransitions\":1}}",
             holder, second, (int)micros, second, (int)micros);
    fake_put(cluster->api, FAKE_LEASE, json);
}

void cluster_get_holder(const struct cluster *cluster, char out[256]) {
    cJSON *lease = fake_get(cluster->api, FAKE_LEASE, CLUSTER_NAMESPACE, "capstan");
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(lease, "spec");
    const char *holder =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spec, "holderIdentity"));
    snprintf(out, 256, "%s", holder == NULL ? "" : holder);
    cJSON_Delete(lease);
}
