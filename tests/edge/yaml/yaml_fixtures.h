// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_EDGE_YAML_FIXTURES_H
#define TESTS_EDGE_YAML_FIXTURES_H

/*
 * Reads a stream of YAML and gives the result as one text. Include it after cmocka.h.
 */

#include <string.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/json.h"
#include "edge/yaml.h"

static inline void yaml_auto_close(struct yaml_stream **stream) {
    yaml_close(*stream);
}

/* Checks what must hold for every document. */
static inline void assert_sound(const struct yaml_document *document) {
    struct json_reader reader;
    struct error error;
    json_begin(&reader, document->json.bytes, document->json.size);
    json_skip(&reader);
    if (!json_finish(&reader, &error)) {
        fail_msg("no JSON: %s: %.*s", error.text, (int)document->json.size, document->json.bytes);
    }
    assert_true(document->n_marks > 0);
    assert_int_equal(document->marks[0].offset, 0);
    for (size_t i = 1; i < document->n_marks; i++) {
        assert_true(document->marks[i].offset > document->marks[i - 1].offset);
        assert_true(document->marks[i].offset < document->json.size);
    }
}

/* Reads to the end. Gives the documents, one per line, and then the error, if there is one. */
static inline void read_all(const char *bytes, size_t size, struct buffer *out) {
    AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open(bytes, size);
    for (bool more = true; more;) {
        AUTO(yaml_document_fini) struct yaml_document document = {0};
        struct error error;
        const char *separator = out->size > 0 ? "\n" : "";
        if (!yaml_next(stream, &document, &more, &error)) {
            assert_true(error.offset == ERROR_NO_OFFSET);
            buffer_add_format(out, "%s%s", separator, error.text);
            return;
        }
        if (more) {
            assert_sound(&document);
            buffer_add_text(out, separator);
            buffer_add(out, document.json.bytes, document.json.size);
        }
    }
}

static inline void assert_reads_sized(const char *bytes, size_t size, const char *expected) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    read_all(bytes, size, &out);
    if (strcmp(buffer_text(&out), expected) != 0) {
        fail_msg("read:     %s\nexpected: %s\nbut:      %s", bytes, expected, buffer_text(&out));
    }
}

static inline void assert_reads(const char *text, const char *expected) {
    assert_reads_sized(text, strlen(text), expected);
}

#endif
