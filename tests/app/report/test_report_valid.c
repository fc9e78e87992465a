// SPDX-License-Identifier: Apache-2.0

/*
 * Each form is valid in its language, whatever names and texts contain. A reader of that language
 * reads every scenario back. For XML, that is the strict reader below.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/json_write.h"
#include "edge/yaml.h"
#include "report/rule_text.h"
#include "report_fixtures.h"

static const char *const json_forms[] = {"json", "sarif"};

/* base/json must accept it too. It is stricter than cJSON, because it demands well-formed UTF-8. */
static cJSON *parse(const char *json) {
    struct json_reader reader;
    struct error error;
    json_begin(&reader, json, strlen(json));
    json_skip(&reader);
    if (!json_finish(&reader, &error)) {
        fail_msg("%s in\n%s", error.text, json);
    }
    cJSON *tree = cJSON_Parse(json);
    assert_non_null(tree);
    return tree;
}

static const cJSON *member(const cJSON *object, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    if (value == NULL) {
        fail_msg("there is no %s", key);
    }
    return value;
}

static const char *text_of(const cJSON *object, const char *key) {
    const cJSON *value = member(object, key);
    assert_true(cJSON_IsString(value));
    return value->valuestring;
}

static void test_report__json_parses_whatever_the_names_are(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        for (size_t form = 0; form < COUNT_OF(json_forms); form++) {
            AUTO_FREE char *text = render_form(json_forms[form], &scenarios[i]);
            cJSON_Delete(parse(text));
        }
        AUTO_FREE char *lines = render_form("patch", &scenarios[i]);
        for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            cJSON_Delete(parse(line));
        }
    }
}

static void check_json_item(const cJSON *item) {
    static const char *const texts[] = {"file", "apiVersion", "kind", "namespace", "name"};
    static const char *const lists[] = {"findings", "warnings", "patch"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        text_of(item, texts[i]);
    }
    assert_true(member(item, "line")->valueint >= 1);
    assert_true(member(item, "column")->valueint >= 1);
    if (cJSON_GetObjectItemCaseSensitive(item, "passedOver") != NULL) {
        assert_null(cJSON_GetObjectItemCaseSensitive(item, "allowed"));
        return;
    }
    text_of(item, "operation");
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        assert_true(cJSON_IsArray(member(item, lists[i])));
    }
    const cJSON *allowed = member(item, "allowed");
    assert_true(cJSON_IsBool(allowed));
    assert_true(cJSON_IsBool(member(item, "unresolved")));
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(item, "message");
    assert_int_equal(cJSON_IsFalse(allowed), message != NULL);
    const cJSON *finding;
    bool has_error = false;
    cJSON_ArrayForEach(finding, member(item, "findings")) {
        text_of(finding, "rule");
        text_of(finding, "message");
        assert_true(cJSON_IsBool(member(finding, "change")));
        has_error = has_error || strcmp(text_of(finding, "level"), "error") == 0;
    }
    assert_int_equal(cJSON_IsFalse(allowed), has_error);
}

static size_t count_items(const struct scenario *scenario, bool with_passed_over) {
    size_t n = 0;
    for (const struct report_item *item = scenario->items; item->path != NULL; item++) {
        n += item->decision != NULL || with_passed_over;
    }
    return n;
}

static void test_report_json__items_have_what_the_schema_promises(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        AUTO_FREE char *text = render_form("json", &scenarios[i]);
        cJSON *document = parse(text);
        const cJSON *items = member(document, "items");
        const cJSON *summary = member(document, "summary");
        const cJSON *item;
        assert_string_equal(text_of(document, "apiVersion"), "capstan.dev/v1");
        assert_string_equal(text_of(document, "kind"), "ReviewReport");
        assert_int_equal(cJSON_GetArraySize(items),
                         count_items(&scenarios[i], scenarios[i].is_verbose));
        cJSON_ArrayForEach(item, items) {
            check_json_item(item);
        }
        assert_int_equal(member(summary, "objects")->valueint, scenarios[i].totals.n_objects);
        assert_int_equal(member(summary, "denied")->valueint, scenarios[i].totals.n_denied);
        assert_int_equal(member(summary, "changed")->valueint, scenarios[i].totals.n_changed);
        assert_int_equal(member(summary, "warned")->valueint, scenarios[i].totals.n_warned);
        assert_int_equal(member(summary, "unresolved")->valueint, scenarios[i].totals.n_unresolved);
        assert_int_equal(member(summary, "passedOver")->valueint,
                         scenarios[i].totals.n_passed_over);
        cJSON_Delete(document);
    }
}

static void check_sarif_level(const char *level) {
    assert_true(strcmp(level, "error") == 0 || strcmp(level, "warning") == 0 ||
                strcmp(level, "note") == 0);
}

/* A URI reference of RFC 3986 as we write it: only unreserved characters, slashes and
   percent-encoded bytes; an absolute one begins with file://. */
static void check_uri(const char *uri) {
    if (strncmp(uri, "file:///", 8) == 0) {
        uri += 7;
    } else {
        assert_true(uri[0] != '/');
    }
    for (; *uri != '\0'; uri++) {
        if (*uri == '%') {
            assert_int_equal(strspn(uri + 1, "0123456789ABCDEF") >= 2, 1);
            uri += 2;
        } else {
            assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "-._~/",
                                   *uri));
        }
    }
}

/* Checks the demands of the schema of SARIF 2.1.0 on the members that we write. */
static void check_sarif_result(const cJSON *result, const cJSON *rules) {
    const cJSON *rule = cJSON_GetArrayItem(rules, member(result, "ruleIndex")->valueint);
    const cJSON *location = cJSON_GetArrayItem(member(result, "locations"), 0);
    const cJSON *physical = member(location, "physicalLocation");
    const cJSON *logical = cJSON_GetArrayItem(member(location, "logicalLocations"), 0);
    assert_non_null(rule);
    assert_string_equal(text_of(result, "ruleId"), text_of(rule, "id"));
    check_sarif_level(text_of(result, "level"));
    assert_true(text_of(member(result, "message"), "text")[0] != '\0');
    check_uri(text_of(member(physical, "artifactLocation"), "uri"));
    assert_true(member(member(physical, "region"), "startLine")->valueint >= 1);
    assert_true(member(member(physical, "region"), "startColumn")->valueint >= 1);
    text_of(logical, "name");
    text_of(logical, "fullyQualifiedName");
    text_of(member(result, "partialFingerprints"), "capstan/v1");
}

static void test_report_sarif__has_what_its_schema_requires(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        AUTO_FREE char *text = render_form("sarif", &scenarios[i]);
        cJSON *document = parse(text);
        const cJSON *run = cJSON_GetArrayItem(member(document, "runs"), 0);
        const cJSON *driver = member(member(run, "tool"), "driver");
        const cJSON *rules = member(driver, "rules");
        const cJSON *entry;
        assert_string_equal(text_of(document, "version"), "2.1.0");
        assert_string_equal(text_of(driver, "name"), "capstan");
        assert_string_equal(text_of(driver, "version"), "1.2.3");
        assert_int_equal(cJSON_GetArraySize(rules), RULE_TEXT_COUNT);
        cJSON_ArrayForEach(entry, rules) {
            text_of(member(entry, "shortDescription"), "text");
            text_of(member(entry, "fullDescription"), "text");
            text_of(member(entry, "help"), "text");
            check_sarif_level(text_of(member(entry, "defaultConfiguration"), "level"));
        }
        assert_true(cJSON_IsArray(member(run, "results")));
        cJSON_ArrayForEach(entry, member(run, "results")) {
            check_sarif_result(entry, rules);
        }
        cJSON_Delete(document);
    }
}

/* The next admitted object from `item` on. */
static const struct report_item *next_admitted(const struct report_item *item) {
    while (item->path != NULL && item->decision != NULL &&
           (item->decision->is_denied || item->decision->fails)) {
        item++;
    }
    return item;
}

/* Read back, the documents equal the admitted objects byte for byte, in order. */
static void test_report_yaml__reads_back_as_what_is_admitted(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        AUTO_FREE char *text = render_form("yaml", &scenarios[i]);
        struct yaml_stream *stream = yaml_open(text, strlen(text));
        const struct report_item *item = next_admitted(scenarios[i].items);
        struct yaml_document document;
        struct error error;
        bool has_more = true;
        while (has_more && item->admitted != NULL && strstr(item->admitted, ":1e400") == NULL) {
            if (!yaml_next(stream, &document, &has_more, &error) || !has_more) {
                fail_msg("%s: %s", scenarios[i].name, has_more ? error.text : "a document is gone");
            }
            assert_int_equal(document.json.size, item->admitted_size);
            assert_memory_equal(document.json.bytes, item->admitted, item->admitted_size);
            yaml_document_fini(&document);
            item = next_admitted(item + 1);
        }
        yaml_close(stream);
        assert_true(item->path == NULL || strstr(item->admitted, ":1e400") != NULL);
    }
}

/* A reader for the XML 1.0 that we write: elements, attributes, text and references. Anything else
   is a fault, including comments and sections. */
struct xml {
    const char *at;
    const char *names[8]; /* of the open elements */
    size_t sizes[8];
    size_t depth;
    size_t n_elements;
};

static size_t xml_name(const char *at) {
    return strspn(at, "abcdefghijklmnopqrstuvwxyz-");
}

/* Skips a reference. */
static void xml_reference(struct xml *xml) {
    static const char *const known[] = {"&amp;",  "&lt;", "&gt;",  "&quot;",
                                        "&apos;", "&#9;", "&#10;", "&#13;"};
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strncmp(xml->at, known[i], strlen(known[i])) == 0) {
            xml->at += strlen(known[i]);
            return;
        }
    }
    fail_msg("no reference: %.20s", xml->at);
}

/* Skips text up to the first `stop`. */
static void xml_text(struct xml *xml, char stop) {
    while (*xml->at != stop) {
        unsigned char byte = (unsigned char)*xml->at;
        if (byte == '&') {
            xml_reference(xml);
            continue;
        }
        if ((byte < ' ' && byte != '\n') || byte == '<' || byte == 0x7F ||
            strncmp(xml->at, "]]>", 3) == 0 || strncmp(xml->at, "\xEF\xBF\xBE", 3) == 0 ||
            strncmp(xml->at, "\xEF\xBF\xBF", 3) == 0) {
            fail_msg("not legal in XML: %.20s", xml->at);
        }
        xml->at++;
    }
}

static void xml_end_tag(struct xml *xml) {
    size_t size = xml_name(xml->at);
    assert_true(xml->depth > 0);
    xml->depth--;
    assert_int_equal(size, xml->sizes[xml->depth]);
    assert_memory_equal(xml->at, xml->names[xml->depth], size);
    assert_int_equal(xml->at[size], '>');
    xml->at += size + 1;
}

static void xml_attributes(struct xml *xml) {
    const char *seen[8];
    size_t n_seen = 0;
    for (; *xml->at == ' '; n_seen++) {
        size_t size = xml_name(++xml->at);
        assert_true(size > 0 && n_seen < COUNT_OF(seen));
        assert_memory_equal(xml->at + size, "=\"", 2);
        for (size_t i = 0; i < n_seen; i++) {
            assert_memory_not_equal(seen[i], xml->at, size + 1);
        }
        seen[n_seen] = xml->at;
        xml->at += size + 2;
        xml_text(xml, '"');
        xml->at++;
    }
}

static void xml_begin_tag(struct xml *xml) {
    size_t size = xml_name(xml->at);
    assert_true(size > 0 && xml->depth < COUNT_OF(xml->names));
    xml->names[xml->depth] = xml->at;
    xml->sizes[xml->depth++] = size;
    xml->n_elements++;
    xml->at += size;
    xml_attributes(xml);
    bool is_empty = *xml->at == '/';
    xml->at += is_empty;
    assert_int_equal(*xml->at++, '>');
    xml->depth -= is_empty;
}

/* Returns the number of elements. */
static size_t read_xml(const char *text) {
    static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    struct xml xml = {.at = text + sizeof(head) - 1};
    assert_true(strncmp(text, head, sizeof(head) - 1) == 0);
    do {
        assert_int_equal(*xml.at++, '<');
        bool is_end = *xml.at == '/';
        xml.at += is_end;
        if (is_end) {
            xml_end_tag(&xml);
        } else {
            xml_begin_tag(&xml);
        }
        if (xml.depth > 0) {
            xml_text(&xml, '<');
        }
    } while (xml.depth > 0);
    assert_string_equal(xml.at, "\n");
    return xml.n_elements;
}

static void test_report_junit__is_well_formed(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        AUTO_FREE char *text = render_form("junit", &scenarios[i]);
        size_t n_cases = count_items(&scenarios[i], scenarios[i].is_verbose);
        assert_true(read_xml(text) >= n_cases + 1);
    }
}

static size_t count(const char *text, const char *word) {
    size_t n = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word)) {
        n++;
    }
    return n;
}

/* The sum of an attribute's values. */
static size_t sum(const char *text, const char *attribute) {
    size_t n = 0;
    for (; (text = strstr(text, attribute)) != NULL; text += strlen(attribute)) {
        n += strtoul(text + strlen(attribute), NULL, 10);
    }
    return n;
}

static void test_report_junit__counts_what_is_in_it(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        AUTO_FREE char *text = render_form("junit", &scenarios[i]);
        assert_int_equal(sum(text, " tests=\""), count(text, "<testcase "));
        assert_int_equal(sum(text, " failures=\""), count(text, "<failure "));
        assert_int_equal(sum(text, " skipped=\""), count(text, "<skipped/>"));
    }
}

/* Every form is UTF-8. Its only control characters are line breaks, tabs and the report's own
   colours. */
static void test_report__forms_are_clean_text(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        for (size_t form = 0; report_forms[form] != NULL; form++) {
            AUTO_FREE char *text = render_form(report_forms[form]->name, &scenarios[i]);
            for (const char *at = text; *at != '\0'; at++) {
                bool is_colour = *at == '\033' && scenarios[i].is_coloured;
                if ((unsigned char)*at < ' ' && *at != '\n' && *at != '\t' && !is_colour) {
                    fail_msg("%s.%s has byte %d", scenarios[i].name, report_forms[form]->name, *at);
                }
            }
            /* Malformed UTF-8 would change in a JSON string. */
            AUTO(buffer_fini) struct buffer quoted;
            struct json_write write;
            buffer_init(&quoted, SIZE_MAX);
            json_write_begin(&write, &quoted);
            json_write_text(&write, text);
            cJSON *string = cJSON_ParseWithLength(quoted.bytes, quoted.size);
            assert_non_null(string);
            assert_string_equal(string->valuestring, text);
            cJSON_Delete(string);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report__json_parses_whatever_the_names_are),
        cmocka_unit_test(test_report_json__items_have_what_the_schema_promises),
        cmocka_unit_test(test_report_sarif__has_what_its_schema_requires),
        cmocka_unit_test(test_report_yaml__reads_back_as_what_is_admitted),
        cmocka_unit_test(test_report_junit__is_well_formed),
        cmocka_unit_test(test_report_junit__counts_what_is_in_it),
        cmocka_unit_test(test_report__forms_are_clean_text),
    };
    return cmocka_run_group_tests_name("app/report_valid", tests, NULL, NULL);
}
