// SPDX-License-Identifier: Apache-2.0
#include "service_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attribute.h"

void service_names_make(const char *service, const char *namespace,
                        struct service_names *ret_names) {
    /* SERVICE.NAMESPACE with a number at its end would be an address. */
    bool is_address = namespace[strspn(namespace, "0123456789")] == '\0';
    const struct {
        const char *dot, *namespace, *zone;
        bool is_wanted;
    } forms[] = {
        {".", namespace, ".svc", true},
        {".", namespace, ".svc.cluster.local", true},
        {".", namespace, "", !is_address},
        {"", "", "", true},
    };
    _Static_assert(COUNT_OF(forms) == SERVICE_NAMES_MAX, "each form has a place");
    ret_names->n_items = 0;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        char *text = ret_names->texts[ret_names->n_items];
        if (forms[i].is_wanted) {
            snprintf(text, SERVICE_NAME_SIZE, "%s%s%s%s", service, forms[i].dot, forms[i].namespace,
                     forms[i].zone);
            ret_names->items[ret_names->n_items++] = text;
        }
    }
}
