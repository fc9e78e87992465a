// SPDX-License-Identifier: Apache-2.0

/*
 * Reads any bytes as YAML. An accepted document must be JSON for base/json, must have its marks in
 * order, and must read back the same. A refusal must name a place.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "edge/yaml.h"

static void require(bool is_true, const char *claim, const struct yaml_document *document) {
    if (!is_true) {
        fprintf(stderr, "%s: %.*s\n", claim, (int)document->json.size, document->json.bytes);
        abort();
    }
}

static void check_json(const struct yaml_document *document) {
    struct json_reader reader;
    struct error error;
    json_begin(&reader, document->json.bytes, document->json.size);
    json_skip(&reader);
    require(json_finish(&reader, &error), "no JSON", document);
}

static void check_marks(const struct yaml_document *document) {
    require(document->n_marks > 0 && document->marks[0].offset == 0, "no mark", document);
    for (size_t i = 0; i < document->n_marks; i++) {
        const struct yaml_mark *mark = &document->marks[i];
        require(mark->offset < document->json.size, "a mark behind the end", document);
        require(mark->line > 0 && mark->column > 0, "a mark of no place", document);
        require(i == 0 || mark->offset > mark[-1].offset, "marks out of order", document);
        require(yaml_find(document, mark->offset) == mark, "a mark is not found", document);
        char first = document->json.bytes[mark->offset];
        require(first == '"' || strchr(":,]}", first) == NULL, "a mark of no value", document);
    }
}

/* JSON reads as JSON, except for a scalar: that is YAML, which may read a number or a text
   differently. */
static void check_again(const struct yaml_document *document) {
    char first = document->json.bytes[0];
    if (first != '{' && first != '[') {
        return;
    }
    struct yaml_stream *stream = yaml_open(document->json.bytes, document->json.size);
    struct yaml_document again = {0};
    struct error error;
    bool more = false;
    require(yaml_next(stream, &again, &more, &error) && more, "not read again", document);
    require(again.json.size == document->json.size &&
                memcmp(again.json.bytes, document->json.bytes, again.json.size) == 0,
            "read as something else", document);
    yaml_document_fini(&again);
    yaml_close(stream);
}

static void check_error(const struct error *error) {
    unsigned line = 0;
    unsigned column = 0;
    int end = 0;
    sscanf(error->text, "line %u, column %u: %n", &line, &column, &end);
    if (line == 0 || column == 0 || end == 0 || error->text[end] == '\0') {
        fprintf(stderr, "an error without a place: %s\n", error->text);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct yaml_stream *stream = yaml_open((const char *)data, size);
    for (bool more = true; more;) {
        struct yaml_document document = {0};
        struct error error;
        if (!yaml_next(stream, &document, &more, &error)) {
            check_error(&error);
            break;
        }
        if (more) {
            check_json(&document);
            check_marks(&document);
            check_again(&document);
        }
        yaml_document_fini(&document);
    }
    yaml_close(stream);
    return 0;
}
