// SPDX-License-Identifier: Apache-2.0
#include "verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/json_edit.h"
#include "base/json_write.h"
#include "base/text.h"
#include "core/offline/defaults.h"

enum { OBJECT_MAX = 128 << 20, EXPLANATION_MAX = 64 << 10 };

void verdict_fini(struct verdict *verdict) {
    buffer_fini(&verdict->submitted);
    buffer_fini(&verdict->admitted);
    buffer_fini(&verdict->explanation);
}

/* The list of a live cluster answers like a look-up (row 12). */
static void ask_list(const struct verdict_context *context, const struct review *review,
                     struct subject *subject) {
    struct evidence evidence = {.states = {EVIDENCE_NONE}};
    bool is_live = review->name_presence != PRESENCE_UNUSABLE &&
                   review->namespace_presence != PRESENCE_UNUSABLE;
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_FAMILY_LAST; i++) {
        struct fact *server = &evidence.servers[i];
        bool is_known = facts_find(context->facts, (enum object_kind)i, review->namespace,
                                   review->name, server);
        evidence.states[i] = is_known ? EVIDENCE_FOUND : EVIDENCE_ABSENT;
        is_live = is_live && (!is_known || server->uid[0] != '\0'); /* else it is a manifest's */
    }
    if (is_live) {
        subject_find(context->facts, review, &evidence, subject);
    }
}

static void judge(const struct verdict_context *context, const struct review *review,
                  struct subject *ret_subject, struct decision *ret_decision) {
    subject_find(context->facts, review, NULL, ret_subject);
    if (context->has_cluster) {
        ask_list(context, review, ret_subject);
    }
    decide(context->policy, review, ret_subject, context->now, ret_decision);
}

static bool read_object(const struct buffer *json, const struct object *model,
                        struct object *ret_object) {
    if (!object_decode(json->bytes, json->size, ret_object)) {
        return false;
    }
    ret_object->kind = model->kind;
    text_copy(ret_object->namespace, sizeof(ret_object->namespace), model->namespace);
    return true;
}

/* Says where a rule would have judged the manifest as written differently, since people wonder. */
static void remark_on_defaults(const struct verdict_context *context, const struct object *raw,
                               struct verdict *verdict) {
    struct review review;
    struct subject subject;
    struct decision decision;
    review_make(raw, context->find_old(context->old, raw), &review);
    judge(context, &review, &subject, &decision);
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        size_t used = strlen(verdict->remark);
        char note[DECISION_NOTE_SIZE];
        char note_with_defaults[DECISION_NOTE_SIZE];
        decide_note(&decision, (enum rule_id)rule, note);
        decide_note(&verdict->decision, (enum rule_id)rule, note_with_defaults);
        if (strcmp(note, note_with_defaults) != 0) {
            snprintf(verdict->remark + used, sizeof(verdict->remark) - used, "%s%s: %s",
                     used > 0 ? "; " : "without the API server's defaults, ",
                     rule_name((enum rule_id)rule), note[0] != '\0' ? note : "nothing");
        }
    }
}

/* A Deployment without an ownerReference belongs to the one of the family that its labels name.
   Here that one is unknown. */
static void remark_on_orphan(const struct verdict_context *context, const struct object *object,
                             const struct subject *subject, struct verdict *verdict) {
    struct fact server;
    bool is_told_by_labels = object->kind == OBJECT_DEPLOYMENT && verdict->review.is_manifest &&
                             !object->owner.is_controlled && object->labelled != OBJECT_OTHER &&
                             object->instance[0] != '\0';
    if (is_told_by_labels && subject->state != SUBJECT_FOUND &&
        !facts_find(context->facts, object->labelled, object->namespace, object->instance,
                    &server)) {
        snprintf(verdict->remark, sizeof(verdict->remark),
                 "its labels name the %s %s/%s, which is neither under review nor %s",
                 kind_rows[object->labelled].kind, object->namespace, object->instance,
                 context->has_cluster ? "in the cluster" : "among the facts");
    }
}

/* No rule looks at an object that the API server would refuse (row 13). */
static void remark_on_fault(const struct object *object, struct verdict *verdict) {
    const char *fault = manifest_fault(object);
    if (fault != NULL) {
        snprintf(verdict->remark, sizeof(verdict->remark), "an API server would refuse it: %s",
                 fault);
    }
}

static const char *why_no_rule(const struct verdict_context *context,
                               const struct subject *subject) {
    if (subject->state == SUBJECT_UNRESOLVED) {
        return context->is_live ? "its owner is not known: its list failed, as standard error "
                                  "says, or the reference to it cannot be read"
                                : "its owner is not known; --facts PATH adds more";
    }
    return "it is nobody's of ToolHive, or is being deleted, or is not well formed";
}

static void explain_subject(const struct verdict_context *context, const struct subject *subject,
                            bool is_itself, struct buffer *out) {
    const struct fact *server = &subject->server;
    if (subject->state != SUBJECT_FOUND) {
        buffer_add_format(out, "no rule is asked: %s\n", why_no_rule(context, subject));
        return;
    }
    buffer_add_format(out, "%s %s/%s%s: %s, spec.replicas ", kind_rows[server->kind].kind,
                      server->namespace, server->name, is_itself ? " (this object)" : "",
                      server->is_stdio ? "stdio" : "not stdio");
    if (server->replicas.state == PRESENCE_SET) {
        buffer_add_format(out, "%lld", (long long)server->replicas.value);
    } else {
        buffer_add_text(out, "not set");
    }
    buffer_add_format(out, ", sessions %s redis\n", server->is_redis ? "in" : "not in");
}

/* A step that only warns of what it would change may have nothing to warn of. */
static const char *step_text(const struct decision_step *step) {
    if (step->reason != NULL) {
        return step->reason;
    }
    return step->note[0] != '\0' ? step->note : "nothing would change";
}

static void explain(const struct verdict_context *context, const struct subject *subject,
                    struct verdict *verdict) {
    struct buffer *out = &verdict->explanation;
    const struct decision *decision = &verdict->decision;
    explain_subject(context, subject, kind_is_family(verdict->review.kind), out);
    bool was_stopped = decision->is_unresolved || subject->state != SUBJECT_FOUND;
    if (decision->is_unresolved && subject->state == SUBJECT_FOUND) {
        buffer_add_format(out, "%s\n", decision->warnings[0]);
    }
    for (int i = 0; !was_stopped && i < STEP_COUNT; i++) {
        enum step_id id = (enum step_id)i;
        const struct decision_step *step = &decision->steps[id];
        buffer_add_format(out, "%s, %s: %s\n", rule_name(decide_step_rule(id)),
                          decide_step_label(id), step_text(step));
        was_stopped = decision->is_denied && step->reason == NULL;
    }
}

static bool submit(const struct verdict_context *context, const struct manifest_item *item,
                   const struct object *raw, struct verdict *verdict, struct error *error) {
    bool has_defaults;
    if (context->fills_defaults) {
        return defaults_apply(raw->kind, item->raw.at, item->raw.size, &verdict->submitted,
                              &has_defaults, error);
    }
    buffer_add(&verdict->submitted, item->raw.at, item->raw.size);
    return true;
}

static bool admit(struct verdict *verdict, struct error *error) {
    const struct buffer *submitted = &verdict->submitted;
    return patch_edit(&verdict->decision.patch, submitted->bytes, submitted->size,
                      &verdict->admitted, error);
}

static bool make_of_manifest(const struct verdict_context *context,
                             const struct manifest_item *item, const struct object *raw,
                             struct verdict *verdict, struct error *error) {
    struct object object;
    struct subject subject;
    verdict->is_decided = true;
    if (!submit(context, item, raw, verdict, error)) {
        return false;
    }
    if (!read_object(&verdict->submitted, raw, &object)) {
        return error_set(error, ERROR_INTERNAL, "the defaults have made no object of it");
    }
    review_make(&object, context->find_old(context->old, &object), &verdict->review);
    judge(context, &verdict->review, &subject, &verdict->decision);
    if (context->explains) {
        explain(context, &subject, verdict);
    }
    if (context->fills_defaults) {
        remark_on_defaults(context, raw, verdict);
    }
    remark_on_orphan(context, &object, &subject, verdict);
    remark_on_fault(&object, verdict);
    return admit(verdict, error);
}

static bool decode(const struct manifest_item *item, struct review *ret_review,
                   struct error *error) {
    return review_decode(item->raw.at, item->raw.size, ret_review, error) ||
           error_wrap(error, "malformed AdmissionReview");
}

/* The object of a recorded review already has its defaults. */
static bool make_of_review(const struct verdict_context *context, const struct manifest_item *item,
                           struct verdict *verdict, struct error *error) {
    static const char *const path[] = {"request", "object"};
    struct subject subject;
    struct json_text object = {.at = "null", .size = 4};
    verdict->is_decided = true;
    verdict->is_recorded = true;
    if (!decode(item, &verdict->review, error)) {
        return false;
    }
    (void)json_edit_find(item->raw.at, item->raw.size, path, COUNT_OF(path), &object);
    buffer_add(&verdict->submitted, object.at, object.size);
    judge(context, &verdict->review, &subject, &verdict->decision);
    if (context->explains) {
        explain(context, &subject, verdict);
    }
    return admit(verdict, error);
}

static bool set_word(struct buffer *json, const char *key, const char *word, struct error *error) {
    AUTO(buffer_fini) struct buffer value;
    struct json_write write;
    buffer_init(&value, SIZE_MAX);
    json_write_begin(&write, &value);
    json_write_text(&write, word);
    return json_edit_set(json, &key, 1, buffer_text(&value), error);
}

/* Writes into an item the apiVersion and kind that it has from its list. */
static bool type_item(struct manifest_item *item, struct buffer *storage, struct error *error) {
    struct json_reader reader;
    json_begin(&reader, item->raw.at, item->raw.size);
    if (!item->is_typed_by_list || json_peek(&reader) != JSON_OBJECT) {
        return true;
    }
    buffer_add(storage, item->raw.at, item->raw.size);
    if (!set_word(storage, "apiVersion", item->api_version, error) ||
        !set_word(storage, "kind", item->kind, error)) {
        return false;
    }
    item->raw = (struct json_text){.at = storage->bytes, .size = storage->size};
    return true;
}

static bool is_recorded(const struct manifest_item *item) {
    return strcmp(item->kind, "AdmissionReview") == 0;
}

bool verdict_check(const struct manifest_item *given, struct error *error) {
    AUTO(buffer_fini) struct buffer storage;
    struct manifest_item item = *given;
    struct review review;
    buffer_init(&storage, OBJECT_MAX);
    return !is_recorded(&item) ||
           (type_item(&item, &storage, error) && decode(&item, &review, error));
}

bool verdict_make(const struct verdict_context *context, const struct manifest_item *given,
                  struct verdict *ret_verdict, struct error *error) {
    AUTO(buffer_fini) struct buffer storage;
    struct manifest_item item = *given;
    struct object object;
    *ret_verdict = (struct verdict){.is_decided = false};
    buffer_init(&storage, OBJECT_MAX);
    buffer_init(&ret_verdict->submitted, OBJECT_MAX);
    buffer_init(&ret_verdict->admitted, OBJECT_MAX);
    buffer_init(&ret_verdict->explanation, EXPLANATION_MAX);
    if (!type_item(&item, &storage, error)) {
        return false;
    }
    if (is_recorded(&item)) {
        return make_of_review(context, &item, ret_verdict, error);
    }
    bool is_read = manifest_read_object(&item, &object);
    if (is_read && !(context->is_live && object.is_deleting)) {
        return make_of_manifest(context, &item, &object, ret_verdict, error);
    }
    buffer_add(&ret_verdict->submitted, item.raw.at, item.raw.size);
    buffer_add(&ret_verdict->admitted, item.raw.at, item.raw.size);
    return true;
}
