// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "edge/yaml_write.h"
#include "report_forms.h"

/* The objects as they are admitted, for `kubectl apply -f -`: the ones passed over as well, so that
   nothing is lost on the way; not the ones that would be refused. */

static void begin(struct report *report) {
    (void)report;
}

/* What is deleted leaves nothing to be applied. */
static bool is_nothing(const struct report_item *item) {
    return item->admitted_size == 4 && memcmp(item->admitted, "null", 4) == 0;
}

static void write_item(struct report *report, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer out;
    struct error error;
    buffer_init(&out, SIZE_MAX);
    if (!report_is_admitted(item) || is_nothing(item)) {
        return;
    }
    if (report->n_written++ > 0) {
        buffer_add_text(&out, "---\n");
    }
    /* What yaml_write() has no words for is YAML as it is: JSON. */
    if (!yaml_write(item->admitted, item->admitted_size, &out, &error)) {
        buffer_add(&out, item->admitted, item->admitted_size);
        buffer_add_byte(&out, '\n');
    }
    report_print(report, &out);
}

static void end(struct report *report, const struct report_totals *totals) {
    (void)report;
    (void)totals;
}

const struct report_form report_yaml = {
    .name = "yaml",
    .help = "the admitted manifests, for kubectl apply -f -",
    .begin = begin,
    .item = write_item,
    .end = end,
};
