// SPDX-License-Identifier: Apache-2.0
#include "edge/yaml.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "yaml_json.h"
#include "yaml_load.h"

struct yaml_stream {
    const char *bytes;
    size_t size;
    bool is_json;
    struct yaml_json json;
    struct yaml_load *load; /* NULL if the input is JSON */
    bool is_almost_json;    /* it looks like JSON with a fault, which the next two describe */
    struct error json_error;
    struct yaml_place json_place;
};

void yaml_document_fini(struct yaml_document *document) {
    buffer_fini(&document->json);
    free(document->marks);
    *document = (struct yaml_document){0};
}

const struct yaml_mark *yaml_find(const struct yaml_document *document, size_t offset) {
    size_t low = 0;
    size_t high = document->n_marks;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (document->marks[middle].offset <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &document->marks[low];
}

void yaml_close(struct yaml_stream *stream) {
    if (stream != NULL) {
        yaml_load_close(stream->load);
        free(stream);
    }
}

/* If a comment or `---` follows the JSON, the author meant YAML. */
static bool is_yaml_meant(const struct yaml_stream *stream) {
    size_t left = stream->size - stream->json_error.offset;
    const char *at = stream->bytes + stream->json_error.offset;
    return (left >= 1 && *at == '#') || (left >= 3 && memcmp(at, "---", 3) == 0);
}

static void try_json(struct yaml_stream *stream) {
    const char *end = stream->bytes + stream->size;
    const char *bracket = yaml_place_pass_blanks(stream->bytes, end);
    if (bracket == end || (*bracket != '{' && *bracket != '[')) {
        return;
    }
    if (yaml_json_check(stream->bytes, stream->size, &stream->json_place, &stream->json_error)) {
        stream->is_json = true;
        return;
    }
    const char *next = yaml_place_pass_blanks(bracket + 1, end);
    stream->is_almost_json = next < end && *next == '"' && !is_yaml_meant(stream);
    stream->json_error.offset = ERROR_NO_OFFSET;
}

struct yaml_stream *yaml_open(const char *bytes, size_t size) {
    static const char mark[] = "\xEF\xBB\xBF";
    struct yaml_stream *stream = memory_new(1, sizeof(*stream));
    bool is_marked = size >= 3 && memcmp(bytes, mark, 3) == 0;
    stream->bytes = size == 0 ? "" : bytes + (is_marked ? 3 : 0);
    stream->size = size - (is_marked ? 3 : 0);
    if (stream->size <= UINT32_MAX) {
        try_json(stream);
    }
    if (stream->is_json) {
        yaml_json_begin(&stream->json, stream->bytes, stream->size);
    } else {
        stream->load = yaml_load_open(stream->bytes, stream->size);
    }
    return stream;
}

/* Is the JSON reader's fault the better answer? Not if the text is well-formed YAML that says
   something wrong, nor if good YAML follows the fault. */
static bool is_json_fault(const struct yaml_stream *stream, const struct error *error) {
    struct yaml_place end = yaml_load_end(stream->load);
    struct yaml_place fault = stream->json_place;
    return stream->is_almost_json &&
           (yaml_load_is_malformed(stream->load) || error->kind == ERROR_TOO_LARGE) &&
           (fault.line > end.line || (fault.line == end.line && fault.column >= end.column));
}

bool yaml_next(struct yaml_stream *stream, struct yaml_document *ret_document, bool *ret_more,
               struct error *error) {
    if (stream->size > UINT32_MAX) {
        return error_set(error, ERROR_TOO_LARGE, "line 1, column 1: more than 4 GiB of text");
    }
    if (stream->is_json) {
        return yaml_json_next(&stream->json, ret_document, ret_more, error);
    }
    if (yaml_load_next(stream->load, ret_document, ret_more, error)) {
        return true;
    }
    if (is_json_fault(stream, error)) {
        *error = stream->json_error;
    }
    return false;
}
