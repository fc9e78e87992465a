// SPDX-License-Identifier: Apache-2.0

/*
 * JSON to YAML and back. The writer accepts and refuses the same texts as base/json, except for
 * those that its contract excludes. edge/yaml reads the result as one equal document.
 */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/json_same.h"
#include "base/memory.h"
#include "edge/yaml.h"
#include "edge/yaml_write.h"

#define CHECK(claim)                                                                               \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A small input becomes larger than this only by its nesting. */
#define YAML_MAX (8u << 20)

static bool is_accepted(const char *json, size_t size) {
    struct json_reader reader;
    struct error error;
    json_begin(&reader, json, size);
    json_skip(&reader);
    return json_finish(&reader, &error);
}

/* Is the number at the error's place infinite as a double? */
static bool is_infinite_at(const char *json, size_t size, size_t offset) {
    AUTO_FREE char *number = memory_copy(json + offset, size - offset);
    return isinf(strtod(number, NULL));
}

static void check_refusal(const char *json, size_t size, const struct error *error) {
    if (error->kind == ERROR_INVALID && is_accepted(json, size)) {
        CHECK(error->offset < size && is_infinite_at(json, size, error->offset));
    } else {
        CHECK(error->kind == ERROR_TOO_LARGE || !is_accepted(json, size));
    }
}

/* Equal keys are valid in JSON, but a fault in YAML. */
static bool is_repeated_key(const struct error *error) {
    return strstr(error->text, "duplicate key") != NULL;
}

static void check_read_back(const char *json, size_t size, const struct buffer *yaml) {
    struct yaml_stream *stream = yaml_open(yaml->bytes, yaml->size);
    struct yaml_document document = {0};
    struct yaml_document none = {0};
    struct error error;
    bool more = false;
    if (yaml_next(stream, &document, &more, &error)) {
        CHECK(more);
        CHECK(json_same(json, size, document.json.bytes, document.json.size));
        CHECK(yaml_next(stream, &none, &more, &error) && !more);
    } else {
        CHECK(is_repeated_key(&error));
    }
    yaml_document_fini(&document);
    yaml_close(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *json = (const char *)data;
    AUTO(buffer_fini) struct buffer yaml;
    struct error error;
    buffer_init(&yaml, YAML_MAX);
    if (yaml_write(json, size, &yaml, &error)) {
        CHECK(is_accepted(json, size));
        CHECK(yaml.size > 0 && yaml.bytes[yaml.size - 1] == '\n');
        check_read_back(json, size, &yaml);
    } else {
        CHECK(yaml.size == 0);
        check_refusal(json, size, &error);
    }
    return 0;
}
