// SPDX-License-Identifier: Apache-2.0
#include "entry.h"

#include <string.h>

#include "tree.h"

bool entry_has_url(const cJSON *entry) {
    const cJSON *url = tree_at(entry, "clientConfig.url");
    return url != NULL && !cJSON_IsNull(url);
}

bool entry_calls_us(const cJSON *entry, const struct finding_names *names) {
    return !entry_has_url(entry) &&
           strcmp(tree_text(entry, "clientConfig.service.name"), names->service) == 0 &&
           strcmp(tree_text(entry, "clientConfig.service.namespace"), names->namespace) == 0;
}
