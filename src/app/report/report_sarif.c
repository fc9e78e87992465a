// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "report_escape.h"
#include "report_forms.h"
#include "rule_text.h"

/* SARIF 2.1.0 (OASIS), one run, a result a line. */

static void write_text_object(struct json_write *write, const char *key, const char *text) {
    json_write_member_open(write, key, '{');
    json_write_member_text(write, "text", text);
    json_write_close(write, '}');
}

static void write_rule(struct json_write *write, const struct rule_text *rule) {
    const struct rule_page *page = rule->page;
    json_write_open(write, '{');
    json_write_member_text(write, "id", rule->id);
    write_text_object(write, "shortDescription", rule->summary);
    write_text_object(write, "fullDescription",
                      page->description != NULL ? page->description : rule->summary);
    write_text_object(write, "help", page->example != NULL ? page->example : rule->summary);
    json_write_member_open(write, "defaultConfiguration", '{');
    json_write_member_text(write, "level",
                           report_level_name(page->is_silent ? REPORT_NOTE : REPORT_WARNING));
    json_write_close(write, '}');
    json_write_close(write, '}');
}

static void write_driver(struct json_write *write, const char *version) {
    json_write_member_open(write, "driver", '{');
    json_write_member_text(write, "name", "capstan");
    if (version != NULL) {
        json_write_member_text(write, "version", version);
    }
    json_write_member_open(write, "rules", '[');
    for (size_t i = 0; i < RULE_TEXT_COUNT; i++) {
        write_rule(write, &rule_texts[i]);
    }
    json_write_close(write, ']');
    json_write_close(write, '}');
}

static void begin(struct report *report, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_write_member_text(&write, "version", "2.1.0");
    json_write_member_open(&write, "runs", '[');
    json_write_open(&write, '{');
    json_write_member_open(&write, "tool", '{');
    write_driver(&write, report->version);
    json_write_close(&write, '}');
    /* The default would be UTF-16 code units. */
    json_write_member_text(&write, "columnKind", "unicodeCodePoints");
    json_write_member_open(&write, "results", '[');
}

static void write_physical_location(struct json_write *write, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer uri;
    buffer_init(&uri, SIZE_MAX);
    report_escape_uri(&uri, report_escape_plain_path(item->path));
    json_write_member_open(write, "physicalLocation", '{');
    json_write_member_open(write, "artifactLocation", '{');
    json_write_member_text(write, "uri", buffer_text(&uri));
    json_write_close(write, '}');
    json_write_member_open(write, "region", '{');
    json_write_member_integer(write, "startLine", item->line);
    json_write_member_integer(write, "startColumn", item->column);
    json_write_close(write, '}');
    json_write_close(write, '}');
}

/* "default/Deployment/github" */
static void write_logical_location(struct json_write *write, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer name;
    buffer_init(&name, SIZE_MAX);
    buffer_add_format(&name, "%s%s%s/%s", item->namespace, item->namespace[0] != '\0' ? "/" : "",
                      item->kind, item->name);
    json_write_member_open(write, "logicalLocations", '[');
    json_write_open(write, '{');
    json_write_member_text(write, "name", item->name);
    json_write_member_text(write, "fullyQualifiedName", buffer_text(&name));
    json_write_member_text(write, "kind", "resource");
    json_write_close(write, '}');
    json_write_close(write, ']');
}

/* The same for the same rule and object, whatever the line and the counts are: so an alert that
   somebody dismissed stays dismissed when the file is edited. */
static void write_fingerprint(struct json_write *write, const struct report_item *item,
                              const char *rule) {
    char text[17];
    const char *const parts[] = {rule, item->kind, item->namespace, item->name};
    uint64_t hash = HASH_EMPTY;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        hash = hash_bytes(hash, parts[i], strlen(parts[i]) + 1);
    }
    snprintf(text, sizeof(text), "%016" PRIx64, hash);
    json_write_member_open(write, "partialFingerprints", '{');
    json_write_member_text(write, "capstan/v1", text);
    json_write_close(write, '}');
}

static void write_result(struct json_write *write, const struct report_item *item,
                         const struct report_finding *finding) {
    AUTO(buffer_fini) struct buffer sentence;
    const struct rule_text *rule = rule_text_find(finding->rule);
    buffer_init(&sentence, SIZE_MAX);
    report_add_sentence(&sentence, item, finding->text);
    json_write_open(write, '{');
    json_write_member_text(write, "ruleId", finding->rule);
    json_write_member_integer(write, "ruleIndex", rule - rule_texts);
    json_write_member_text(write, "level", report_level_name(finding->level));
    write_text_object(write, "message", buffer_text(&sentence));
    json_write_member_open(write, "locations", '[');
    json_write_open(write, '{');
    write_physical_location(write, item);
    write_logical_location(write, item);
    json_write_close(write, '}');
    json_write_close(write, ']');
    write_fingerprint(write, item, finding->rule);
    json_write_close(write, '}');
}

static void add_item(struct report *report, const struct report_item *item, struct buffer *out) {
    for (size_t i = 0; i < item->n_findings; i++) {
        struct json_write write;
        buffer_add_text(out, report->n_written++ > 0 ? ",\n" : "\n");
        json_write_begin(&write, out);
        write_result(&write, item, &item->findings[i]);
    }
}

static void end(struct report *report, const struct report_totals *totals, struct buffer *out) {
    (void)report;
    (void)totals;
    buffer_add_text(out, "\n]}]}\n");
}

const struct report_form report_sarif = {
    .name = "sarif",
    .help = "SARIF 2.1.0, for code scanning",
    .begin = begin,
    .item = add_item,
    .end = end,
};
