// SPDX-License-Identifier: Apache-2.0
#include "wire.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "support/chance.h"
#include "tree.h"

struct wire {
    struct buffer out;
    struct chance chance;
    bool is_shuffled;
    bool is_spaced;
    unsigned escapes; /* percent of texts with escapes */
};

static void write_value(struct wire *wire, const cJSON *value);

static void write_text(struct wire *wire, const char *text) {
    bool is_escaped = chance_of(&wire->chance, wire->escapes);
    buffer_add_byte(&wire->out, '"');
    while (*text != '\0') {
        unsigned char byte = (unsigned char)*text;
        if (strncmp(text, TREE_NUL, strlen(TREE_NUL)) == 0) {
            buffer_add_text(&wire->out, "\\u0000");
            text += strlen(TREE_NUL);
            continue;
        }
        if (byte < ' ' || byte == '"' || byte == '\\' ||
            (is_escaped && byte < 0x80 && chance_of(&wire->chance, 30))) {
            buffer_add_format(&wire->out, chance_of(&wire->chance, 50) ? "\\u%04x" : "\\u%04X",
                              byte);
        } else if (byte == '/' && is_escaped) {
            buffer_add_text(&wire->out, "\\/");
        } else {
            buffer_add_byte(&wire->out, (char)byte);
        }
        text++;
    }
    buffer_add_byte(&wire->out, '"');
}

static void space(struct wire *wire) {
    static const char *const spaces[] = {"", " ", "\n", "\t", "\r\n  "};
    if (wire->is_spaced) {
        buffer_add_text(&wire->out, CHANCE_PICK(&wire->chance, spaces));
    }
}

static void write_items(struct wire *wire, const cJSON *parent) {
    size_t n = (size_t)cJSON_GetArraySize(parent);
    AUTO_FREE const cJSON **items = memory_new(n + 1, sizeof(const cJSON *));
    size_t i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, parent) {
        items[i++] = item;
    }
    for (i = n; wire->is_shuffled && cJSON_IsObject(parent) && i > 1; i--) {
        size_t other = chance_below(&wire->chance, i);
        item = items[i - 1];
        items[i - 1] = items[other];
        items[other] = item;
    }
    for (i = 0; i < n; i++) {
        if (i > 0) {
            buffer_add_byte(&wire->out, ',');
        }
        space(wire);
        if (cJSON_IsObject(parent)) {
            write_text(wire, items[i]->string);
            space(wire);
            buffer_add_byte(&wire->out, ':');
            space(wire);
        }
        write_value(wire, items[i]);
        space(wire);
    }
}

static void write_value(struct wire *wire, const cJSON *value) {
    if (cJSON_IsString(value)) {
        write_text(wire, value->valuestring);
    } else if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        buffer_add_byte(&wire->out, cJSON_IsObject(value) ? '{' : '[');
        write_items(wire, value);
        buffer_add_byte(&wire->out, cJSON_IsObject(value) ? '}' : ']');
    } else {
        char *text = cJSON_PrintUnformatted(value);
        buffer_add_text(&wire->out, text);
        free(text);
    }
}

char *wire_write(const cJSON *review, uint64_t style) {
    struct wire wire = {.chance = {style}};
    buffer_init(&wire.out, SIZE_MAX);
    if (style != 0) {
        wire.is_shuffled = chance_of(&wire.chance, 50);
        wire.is_spaced = chance_of(&wire.chance, 20);
        wire.escapes = chance_of(&wire.chance, 30) ? 20 : 0;
    }
    write_value(&wire, review);
    char *text = memory_copy(wire.out.bytes, wire.out.size);
    buffer_fini(&wire.out);
    return text;
}
