// SPDX-License-Identifier: Apache-2.0
#include "core/facts/identity.h"

#include <string.h>

#include "base/memory.h"

enum { KIND_SIZE = 64, VERSION_SIZE = 320 };

bool selection_names(const struct selection *selection, enum object_kind kind, const char *name) {
    return selection->kind == kind && kind != OBJECT_OTHER && !selection->is_unusable &&
           name[0] != '\0' && strcmp(selection->instance, name) == 0;
}

/* An item of metadata.ownerReferences. */
struct reference {
    enum presence controller;
    enum presence kind_presence;
    enum presence version_presence;
    enum presence name_presence;
    enum presence uid_presence;
    char kind[KIND_SIZE];
    bool is_of_toolhive;
    struct owner owner;
};

/* Sees whether the group is ToolHive's. An API server bounds the length of the version nowhere, so
   the borrowed bytes are compared. */
static void read_group(struct json_walk *walk, void *at) {
    static const char prefix[] = TOOLHIVE_GROUP "/";
    struct reference *reference = at;
    char copy[VERSION_SIZE];
    struct json_text text = {.at = ""};
    reference->version_presence = json_walk_view(walk, &text);
    if (text.is_escaped) {
        bool fits = json_text_copy(&text, copy, sizeof(copy));
        reference->version_presence = fits ? PRESENCE_SET : PRESENCE_UNUSABLE;
        text = (struct json_text){.at = copy, .size = strlen(copy)};
    }
    reference->is_of_toolhive =
        text.size >= strlen(prefix) && memcmp(text.at, prefix, strlen(prefix)) == 0;
}

static void judge_reference(struct reference *reference) {
    struct owner *owner = &reference->owner;
    enum object_kind kind = kind_of_family(reference->kind);
    bool may_be_kind = kind != OBJECT_OTHER || reference->kind_presence == PRESENCE_UNUSABLE;
    bool may_be_group =
        reference->is_of_toolhive || reference->version_presence == PRESENCE_UNUSABLE;
    bool is_named = reference->name_presence != PRESENCE_UNUSABLE &&
                    reference->uid_presence != PRESENCE_UNUSABLE;
    bool is_sure = kind != OBJECT_OTHER && reference->is_of_toolhive;
    owner->kind = may_be_group ? kind : OBJECT_OTHER;
    owner->is_unusable = may_be_kind && may_be_group && !(is_sure && is_named);
}

/* Of several controllers, the one with the highest rank counts. */
static int rank(const struct owner *owner) {
    if (!owner->is_controlled) {
        return 0;
    }
    if (owner->is_unusable) {
        return 2;
    }
    return owner->kind != OBJECT_OTHER ? 3 : 1;
}

static void read_reference(struct json_walk *walk, void *at) {
    static const struct json_field rows[] = {
        JSON_READ_WHOLE("apiVersion", read_group),
        JSON_TEXT_STATE("kind", struct reference, kind, kind_presence),
        JSON_TEXT_STATE("name", struct reference, owner.name, name_presence),
        JSON_TEXT_STATE("uid", struct reference, owner.uid, uid_presence),
        JSON_BOOL_STATE("controller", struct reference, owner.is_controlled, controller),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    static const struct owner unusable = {.is_controlled = true, .is_unusable = true};
    struct owner *owner = at;
    struct reference found = {.controller = PRESENCE_ABSENT};
    enum presence presence = json_walk_object(walk, &fields, &found);
    judge_reference(&found);
    if (presence == PRESENCE_UNUSABLE || found.controller == PRESENCE_UNUSABLE) {
        found.owner = unusable;
    }
    if (rank(&found.owner) > rank(owner)) {
        *owner = found.owner;
    }
}

void identity_read_owners(struct json_walk *walk, void *at) {
    struct owner *owner = at;
    *owner = (struct owner){.is_controlled = false};
    if (json_walk_items(walk, read_reference, owner) == PRESENCE_UNUSABLE) {
        owner->is_controlled = owner->is_unusable = true;
    }
}

/* The parts of a selector that have been read. */
struct match_labels {
    enum presence shape;
    enum presence name_presence;
    enum presence instance_presence;
    struct selection selection;
};

/* Compares the borrowed bytes, since a text of any length is a label's value until the API server
   has judged it. */
static enum presence read_label(struct json_walk *walk, enum object_kind *ret_kind) {
    struct json_text text = {.at = ""};
    enum presence presence = json_walk_view(walk, &text);
    *ret_kind = OBJECT_OTHER;
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        if (presence == PRESENCE_SET && json_text_is(&text, kind_rows[kind].label)) {
            *ret_kind = (enum object_kind)kind;
        }
    }
    return presence;
}

void identity_read_label(struct json_walk *walk, void *kind) {
    (void)read_label(walk, kind);
}

static void read_match_name(struct json_walk *walk, void *at) {
    struct match_labels *found = at;
    found->name_presence = read_label(walk, &found->selection.kind);
}

static const struct json_field match_label_rows[] = {
    JSON_TEXT_STATE(LABEL_INSTANCE, struct match_labels, selection.instance, instance_presence),
    JSON_READ_WHOLE(LABEL_NAME, read_match_name),
};
static const struct json_fields match_label_fields = JSON_FIELDS(match_label_rows);

/* An unusable instance is nobody's concern if the other label names none of the family. */
static struct selection conclude(struct match_labels *found) {
    struct selection *selection = &found->selection;
    selection->is_unusable =
        found->shape == PRESENCE_UNUSABLE || found->name_presence == PRESENCE_UNUSABLE ||
        (selection->kind != OBJECT_OTHER && found->instance_presence == PRESENCE_UNUSABLE);
    return *selection;
}

void identity_read_match_labels(struct json_walk *walk, void *at) {
    static const struct json_field rows[] = {
        JSON_INSIDE_STATE("matchLabels", struct match_labels, shape, &match_label_fields),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct match_labels found = {.shape = PRESENCE_ABSENT};
    if (json_walk_object(walk, &fields, &found) == PRESENCE_UNUSABLE) {
        found.shape = PRESENCE_UNUSABLE;
    }
    *(struct selection *)at = conclude(&found);
}

/* The value of a term `key=value`. NULL if it is a term of another form or about another key. */
static const char *value_of(const char *term, const char *end, const char *key) {
    size_t size = strlen(key);
    bool is_about =
        (size_t)(end - term) > size && memcmp(term, key, size) == 0 && term[size] == '=';
    return is_about ? term + size + 1 : NULL;
}

/* Two terms about the instance select nothing, or what neither names: nobody writes them. Of two
   terms about the name, the one that the cap is about counts: MCPServers stand first. */
static void read_term(const char *term, const char *end, struct match_labels *found) {
    struct selection *selection = &found->selection;
    const char *name = value_of(term, end, LABEL_NAME);
    const char *instance = value_of(term, end, LABEL_INSTANCE);
    if (name != NULL) {
        enum object_kind kind = kind_of_label(name, (size_t)(end - name));
        bool is_first = selection->kind == OBJECT_OTHER || kind < selection->kind;
        selection->kind = kind != OBJECT_OTHER && is_first ? kind : selection->kind;
    } else if (instance != NULL) {
        size_t size = (size_t)(end - instance);
        bool is_usable =
            found->instance_presence == PRESENCE_ABSENT && size < sizeof(selection->instance);
        found->instance_presence = is_usable ? PRESENCE_SET : PRESENCE_UNUSABLE;
        if (is_usable) {
            memcpy(selection->instance, instance, size);
            selection->instance[size] = '\0';
        }
    }
}

static void read_terms(const char *text, size_t size, struct match_labels *found) {
    const char *const end = text + size;
    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma == NULL ? end : comma;
        read_term(text, stop, found);
        text = stop + 1;
    }
}

/* An API server bounds the length of a selector nowhere, so the borrowed bytes are read. The text
   of a real one has no escapes. */
void identity_read_selector(struct json_walk *walk, void *at) {
    struct match_labels found = {.shape = PRESENCE_ABSENT};
    struct json_text text;
    found.shape = json_walk_view(walk, &text);
    if (!text.is_escaped) {
        read_terms(text.at, text.size, &found);
    } else {
        AUTO_FREE char *copy = memory_new(text.size + 1, 1);
        bool is_text = json_text_copy(&text, copy, text.size + 1);
        found.shape = is_text ? PRESENCE_SET : PRESENCE_UNUSABLE;
        read_terms(copy, strlen(copy), &found);
    }
    *(struct selection *)at = conclude(&found);
}
