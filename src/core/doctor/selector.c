// SPDX-License-Identifier: Apache-2.0
#include "selector.h"

#include "base/json_edit.h"

/* The most that Kubernetes lets a label's key (253 + 1 + 63) or value (63) have, and a NUL. */
enum { KEY_SIZE = 318, VALUE_SIZE = 64 };

struct label {
    bool is_there;
    char value[VALUE_SIZE];
};

static void find_label(const struct json_text *labels, const char *key, struct label *ret_label) {
    const char *const path[] = {key};
    struct json_text raw;
    struct json_text value;
    struct json_reader reader;
    *ret_label = (struct label){.is_there = false};
    if (json_edit_find(labels->at, labels->size, path, COUNT_OF(path), &raw)) {
        json_begin(&reader, raw.at, raw.size);
        ret_label->is_there =
            json_read_text(&reader, &value) && json_text_copy(&value, ret_label->value, VALUE_SIZE);
    }
}

static bool labels_match(struct json_reader *reader, const struct json_text *labels) {
    struct json_text key;
    bool match = true;
    if (!json_enter_object(reader)) {
        return true;
    }
    while (json_next_member(reader, &key)) {
        char name[KEY_SIZE];
        struct json_text wanted;
        struct label label;
        if (json_text_copy(&key, name, sizeof(name)) && json_read_text(reader, &wanted)) {
            find_label(labels, name, &label);
            match = match && label.is_there && json_text_is(&wanted, label.value);
        }
    }
    return match;
}

/* One of matchExpressions. */
struct expression {
    char key[KEY_SIZE];
    struct json_text operation;
    struct json_text values; /* the array, as it stands */
};

static bool read_expression(struct json_reader *reader, struct expression *ret_expression) {
    struct json_text key;
    struct json_text value;
    *ret_expression =
        (struct expression){.operation = {.at = ""}, .values = {.at = "[]", .size = 2}};
    if (!json_enter_object(reader)) {
        return false;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "key")) {
            if (json_read_text(reader, &value)) {
                (void)json_text_copy(&value, ret_expression->key, KEY_SIZE);
            }
        } else if (json_text_is(&key, "operator")) {
            (void)json_read_text(reader, &ret_expression->operation);
        } else if (json_text_is(&key, "values")) {
            (void)json_read_raw(reader, &ret_expression->values);
        } else {
            json_skip(reader);
        }
    }
    return true;
}

static bool has_value(const struct json_text *values, const char *wanted) {
    struct json_reader reader;
    struct json_text value;
    bool has = false;
    json_begin(&reader, values->at, values->size);
    if (json_enter_array(&reader)) {
        while (json_next_item(&reader)) {
            has = (json_read_text(&reader, &value) && json_text_is(&value, wanted)) || has;
        }
    }
    return has;
}

static bool expression_holds(const struct expression *expression, const struct json_text *labels) {
    const struct json_text *operation = &expression->operation;
    struct label label;
    find_label(labels, expression->key, &label);
    if (json_text_is(operation, "In")) {
        return label.is_there && has_value(&expression->values, label.value);
    }
    if (json_text_is(operation, "NotIn")) {
        return !label.is_there || !has_value(&expression->values, label.value);
    }
    if (json_text_is(operation, "Exists")) {
        return label.is_there;
    }
    return !json_text_is(operation, "DoesNotExist") || !label.is_there;
}

static bool expressions_match(struct json_reader *reader, const struct json_text *labels) {
    struct expression expression;
    bool match = true;
    if (!json_enter_array(reader)) {
        return true;
    }
    while (json_next_item(reader)) {
        match = (!read_expression(reader, &expression) || expression_holds(&expression, labels)) &&
                match;
    }
    return match;
}

bool selector_matches(const struct json_text *selector, const struct json_text *labels) {
    struct json_reader reader;
    struct json_text key;
    bool match = true;
    json_begin(&reader, selector->at, selector->size);
    if (!json_enter_object(&reader)) {
        return true;
    }
    while (json_next_member(&reader, &key)) {
        if (json_text_is(&key, "matchLabels")) {
            match = labels_match(&reader, labels) && match;
        } else if (json_text_is(&key, "matchExpressions")) {
            match = expressions_match(&reader, labels) && match;
        } else {
            json_skip(&reader);
        }
    }
    return match;
}
