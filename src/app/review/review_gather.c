// SPDX-License-Identifier: Apache-2.0
#include "review_gather.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cluster/cluster_facts.h"
#include "core/offline/placeholder.h"
#include "report/verdict.h"
#include "review_input.h"

enum { PLACE_MAX = 100 };

void review_old_fini(struct review_old *old) {
    for (size_t i = 0; i < old->n_objects; i++) {
        free(old->objects[i]);
    }
    free(old->objects);
}

void review_old_add(struct review_old *old, const struct object *object) {
    struct object *copy = memory_new(1, sizeof(*copy));
    *copy = *object;
    old->objects = memory_resize(old->objects, old->n_objects + 1, sizeof(old->objects[0]));
    old->objects[old->n_objects++] = copy;
}

static int compare(const void *one, const void *other) {
    const struct object *a = *(const struct object *const *)one;
    const struct object *b = *(const struct object *const *)other;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    int order = strcmp(a->namespace, b->namespace);
    return order != 0 ? order : strcmp(a->name, b->name);
}

void review_old_sort(struct review_old *old) {
    if (old->n_objects > 0) {
        qsort(old->objects, old->n_objects, sizeof(old->objects[0]), compare);
    }
}

const struct object *review_old_find(const struct review_old *old, const struct object *object) {
    if (old->n_objects == 0) {
        return NULL;
    }
    struct object **found =
        bsearch(&object, old->objects, old->n_objects, sizeof(old->objects[0]), compare);
    return found == NULL ? NULL : *found;
}

/* The paths of one option. An object must not stand in them twice. */
struct round {
    const struct option_texts *paths;
    const struct buffer *standard_input;
    struct facts *facts;
    struct review_old *old; /* of --old; else NULL */
    bool is_reviewed;
    void *autoscalers; /* those so far, which are no facts: a tree of tsearch() */
};

struct search {
    const struct object *object;
    struct buffer place; /* "file:line:column" of the object; empty: not found yet */
};

/* Ends the reading, with an error, at the object that is searched. */
static bool on_searched(void *context, const struct review_input *input, struct error *error) {
    struct search *search = context;
    struct object object;
    if (!manifest_read_object(input->item, &object) || object.kind != search->object->kind ||
        strcmp(object.namespace, search->object->namespace) != 0 ||
        strcmp(object.name, search->object->name) != 0) {
        return true;
    }
    buffer_add_format(&search->place, "%s:%u:%u", input->path, (unsigned)input->line,
                      (unsigned)input->column);
    return error_set(error, ERROR_INVALID, "found");
}

/* Searches for the first place now, at the second. To keep all places would cost more. */
static bool fail_twice(const struct round *round, const struct review_input *input,
                       const struct object *object, struct error *error) {
    struct search search = {.object = object};
    struct error ignored;
    buffer_init(&search.place, SIZE_MAX);
    bool is_gone =
        review_input_each(round->paths, round->standard_input, on_searched, &search, &ignored);
    const char *place = is_gone ? "a place that is gone" : buffer_text(&search.place);
    size_t size = strlen(place);
    error_set_at(error, ERROR_INVALID, input->item->offset,
                 "%s %s/%.80s is there twice, first at %s; review one state of it at a time",
                 input->item->kind, object->namespace, object->name,
                 size > PLACE_MAX ? place + size - PLACE_MAX : place);
    buffer_fini(&search.place);
    return false;
}

static int compare_keys(const void *one, const void *other) {
    return strcmp(one, other);
}

/* True if the round has the autoscaler already. */
static bool add_autoscaler(struct round *round, const struct object *object) {
    char *key =
        memory_format("%s %s/%s", kind_rows[object->kind].kind, object->namespace, object->name);
    char *const *found = tsearch(key, &round->autoscalers, compare_keys);
    bool is_there = found == NULL || *found != key;
    if (is_there) {
        free(key);
    }
    return is_there;
}

static bool add_object(struct round *round, const struct object *object) {
    return kind_is_autoscaler(object->kind) ? add_autoscaler(round, object)
                                            : facts_put(round->facts, object);
}

/* Objects under review are facts too: the others are reviewed by them. */
static bool on_object(void *context, const struct review_input *input, struct error *error) {
    struct round *round = context;
    size_t offset;
    struct object object;
    if (placeholder_find(input->item, &offset)) {
        return error_set_at(error, ERROR_INVALID, offset,
                            "'{{' looks like a template; render it first");
    }
    if (round->is_reviewed && !verdict_check(input->item, error)) {
        error->offset = input->item->offset;
        return false;
    }
    if (!manifest_read_object(input->item, &object) || object.name[0] == '\0') {
        return true;
    }
    if (round->old != NULL) {
        review_old_add(round->old, &object);
    }
    if (manifest_fault(&object) != NULL) {
        return true; /* an API server would refuse it */
    }
    return !add_object(round, &object) || fail_twice(round, input, &object, error);
}

/* Never ends a round of the facts, since that would remove what earlier rounds put there. */
static bool go_round(struct round *round, struct error *error) {
    for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
        (void)facts_begin_round(round->facts, (enum object_kind)kind);
    }
    bool is_read = review_input_each(round->paths, round->standard_input, on_object, round, error);
    tdestroy(round->autoscalers, free);
    return is_read;
}

/* Earlier states are no facts. They get facts of their own, which only serve to find doubles. */
static bool gather_old(const struct review_options *options, const struct buffer *standard_input,
                       struct review_old *old, struct error *error) {
    struct facts *facts = facts_new();
    struct round round = {&options->old, standard_input, facts, old, false, NULL};
    bool is_gathered = go_round(&round, error);
    facts_free(facts);
    review_old_sort(old);
    return is_gathered;
}

bool review_gather(const struct review_options *options, const struct buffer *standard_input,
                   struct facts *facts, struct review_old *old, struct error *error) {
    struct round given = {&options->facts, standard_input, facts, NULL, false, NULL};
    struct round reviewed = {&options->paths, standard_input, facts, NULL, true, NULL};
    return gather_old(options, standard_input, old, error) &&
           (options->kubeconfig == NULL || cluster_facts_load(options->kubeconfig, facts, error)) &&
           go_round(&given, error) && go_round(&reviewed, error);
}
