// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "edge/yaml_write.h"
#include "report_forms.h"

/* A JSON object a line for each object that is changed, with the JSON patch (RFC 6902). */

static void add_patch(struct report *report, const struct report_item *item, struct buffer *out) {
    struct json_write write;
    (void)report;
    if (!report_is_changed(item)) {
        return;
    }
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    report_write_identity(&write, item);
    report_write_patch(&write, item->decision);
    json_write_close(&write, '}');
    buffer_add_byte(out, '\n');
}

const struct report_form report_patch = {
    .name = "patch",
    .help = "a JSON patch a line for each object that is changed",
    .omits_refused = true,
    .item = add_patch,
};

/* The objects as they are admitted, for `kubectl apply -f -`. Objects that are passed over are
   there too, so that none is lost on the way; objects that would be refused are not. */

/* A deletion leaves no object to apply. */
static bool is_deleted(const struct report_item *item) {
    return item->admitted_size == 4 && memcmp(item->admitted, "null", 4) == 0;
}

static void add_manifest(struct report *report, const struct report_item *item,
                         struct buffer *out) {
    struct error error;
    if (!report_is_admitted(item) || is_deleted(item)) {
        return;
    }
    if (report->n_written++ > 0) {
        buffer_add_text(out, "---\n");
    }
    /* JSON is YAML: it serves for the little that yaml_write() refuses. */
    if (!yaml_write(item->admitted, item->admitted_size, out, &error)) {
        buffer_add(out, item->admitted, item->admitted_size);
        buffer_add_byte(out, '\n');
    }
}

const struct report_form report_yaml = {
    .name = "yaml",
    .help = "the admitted manifests, for kubectl apply -f -",
    .omits_refused = true,
    .item = add_manifest,
};
