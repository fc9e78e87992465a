// SPDX-License-Identifier: Apache-2.0
#include "report_forms.h"

/* A JSON object a line for each object that is changed, with the JSON patch (RFC 6902). */

static void begin(struct report *report) {
    (void)report;
}

static void write_item(struct report *report, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer out;
    struct json_write write;
    buffer_init(&out, SIZE_MAX);
    if (!report_is_changed(item)) {
        return;
    }
    json_write_begin(&write, &out);
    json_write_open(&write, '{');
    report_write_identity(&write, item);
    report_write_patch(&write, item->decision);
    json_write_close(&write, '}');
    buffer_add_byte(&out, '\n');
    report_print(report, &out);
}

static void end(struct report *report, const struct report_totals *totals) {
    (void)report;
    (void)totals;
}

const struct report_form report_patch = {
    .name = "patch",
    .help = "a JSON patch a line for each object that is changed",
    .begin = begin,
    .item = write_item,
    .end = end,
};
