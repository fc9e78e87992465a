// SPDX-License-Identifier: Apache-2.0
#include "report_forms.h"

/* A JSON object a line for each object that is changed, with the JSON patch (RFC 6902). */

static void add_item(struct report *report, const struct report_item *item, struct buffer *out) {
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
    .item = add_item,
};
