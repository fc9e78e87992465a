// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_edit.h"
#include "base/text.h"
#include "document.h"
#include "edge/clock.h"
#include "exit_status.h"
#include "report_forms.h"

enum { PROGRESS_EVERY = 500, WORD_SIZE = 32 };

void session_init(struct session *session, const struct report_options *options,
                  const char *doing) {
    *session = (struct session){.options = options, .doing = doing, .facts = facts_new()};
}

void session_fini(struct session *session) {
    facts_free(session->facts);
    policy_free(session->policy);
}

static void complain_of_caution(const struct session *session) {
    const char *caution = policy_caution(session->policy);
    if (caution != NULL) {
        AUTO(buffer_fini) struct buffer line;
        buffer_init(&line, SIZE_MAX);
        buffer_add_format(&line, "warning: %s: %s", session->options->config, caution);
        complain(buffer_text(&line));
    }
}

bool session_read_policy(struct session *session, struct error *error) {
    const struct report_options *options = session->options;
    if (options->config == NULL) {
        session->policy = policy_default();
    } else if (!document_read_policy(options->config, &session->policy, error)) {
        return false;
    }
    complain_of_caution(session);
    session->context.policy = session->policy;
    session->context.facts = session->facts;
    session->context.explains = options->explains;
    session->context.now = clock_wall_seconds();
    return true;
}

static void count(struct session *session, const struct verdict *verdict) {
    struct report_totals *totals = &session->totals;
    const struct decision *decision = &verdict->decision;
    if (!verdict->is_decided) {
        totals->n_passed_over++;
        return;
    }
    totals->n_objects++;
    totals->n_denied += decision->is_denied;
    totals->n_changed += !patch_is_empty(&decision->patch);
    totals->n_warned += decision->n_warnings > 0;
    totals->n_unresolved += decision->is_unresolved;
}

/* Goes to stderr where the form has no room for it: somebody who pipes the report must know. */
static void complain_of_refusal(struct session *session, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer line;
    const struct decision *decision = item->decision;
    buffer_init(&line, SIZE_MAX);
    if (!session->options->form->omits_refused || decision == NULL || report_is_admitted(item)) {
        return;
    }
    buffer_add_format(&line, "%s:%u:%u: %s ", item->path, (unsigned)item->line,
                      (unsigned)item->column, item->kind);
    report_add_name(&line, item);
    if (decision->is_denied) {
        buffer_add_format(&line, " is denied: %s", decision->message);
    } else {
        buffer_add_format(&line, " is %s", decision->warnings[0]);
    }
    progress_wipe(&session->progress);
    complain(buffer_text(&line));
}

size_t session_count(const struct session *session) {
    return session->totals.n_objects + session->totals.n_passed_over;
}

static void show_progress(struct session *session) {
    size_t n = session_count(session);
    if (n % PROGRESS_EVERY == 0) {
        progress_show(&session->progress, session->doing, n);
    }
}

/* The words that a report calls an object by. */
struct identity {
    char api_version[MANIFEST_VERSION_SIZE];
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
    char operation[WORD_SIZE];
};

/* A malformed object that is passed over has no names. */
static void read_names(const struct manifest_item *given, const struct verdict *verdict,
                       struct identity *identity) {
    struct json_reader reader;
    struct object object;
    const char *namespace = verdict->review.namespace;
    const char *name = verdict->review.name;
    if (!verdict->is_decided) {
        json_begin(&reader, given->raw.at, given->raw.size);
        bool is_object = object_read(&reader, &object);
        namespace = is_object ? object.namespace : "";
        name = is_object ? object.name : "";
    }
    text_copy(identity->namespace, sizeof(identity->namespace), namespace);
    text_copy(identity->name, sizeof(identity->name), name);
}

/* Empty if no string is there, or one that is too long. */
static void read_word(const char *json, size_t size, const char *const *path, size_t n_keys,
                      char *out, size_t capacity) {
    struct json_text text;
    out[0] = '\0';
    if (json_edit_find_text(json, size, path, n_keys, &text)) {
        (void)json_text_copy(&text, out, capacity);
    }
}

/* A recorded review has the apiVersion of its object (a deletion has none) and its own operation,
   even one that Capstan decides nothing about. */
static void read_recorded(const struct manifest_item *given, const struct verdict *verdict,
                          struct identity *identity) {
    static const char *const version_path[] = {"apiVersion"};
    static const char *const operation_path[] = {"request", "operation"};
    read_word(verdict->submitted.bytes, verdict->submitted.size, version_path,
              COUNT_OF(version_path), identity->api_version, sizeof(identity->api_version));
    read_word(given->raw.at, given->raw.size, operation_path, COUNT_OF(operation_path),
              identity->operation, sizeof(identity->operation));
}

static void read_identity(const struct manifest_item *given, const struct verdict *verdict,
                          struct identity *ret_identity) {
    bool is_update = verdict->review.operation == REVIEW_UPDATE;
    read_names(given, verdict, ret_identity);
    if (verdict->is_recorded) {
        read_recorded(given, verdict, ret_identity);
        return;
    }
    text_copy(ret_identity->api_version, sizeof(ret_identity->api_version), given->api_version);
    text_copy(ret_identity->operation, sizeof(ret_identity->operation),
              is_update ? "UPDATE" : "CREATE");
}

bool session_judge(struct session *session, const struct session_object *object,
                   struct error *error) {
    AUTO(verdict_fini) struct verdict verdict;
    struct identity identity;
    if (!verdict_make(&session->context, object->item, &verdict, error)) {
        error->offset = object->item->offset;
        return false;
    }
    read_identity(object->item, &verdict, &identity);
    bool is_explained = session->options->explains && verdict.is_decided;
    const struct report_item item = {
        .path = object->path,
        .line = object->line,
        .column = object->column,
        .api_version = identity.api_version,
        .kind = verdict.is_recorded ? verdict.review.kind_text : object->item->kind,
        .namespace = identity.namespace,
        .name = identity.name,
        .operation = identity.operation,
        .decision = verdict.is_decided ? &verdict.decision : NULL,
        .submitted = verdict.submitted.bytes,
        .submitted_size = verdict.submitted.size,
        .admitted = verdict.admitted.bytes,
        .admitted_size = verdict.admitted.size,
        .remark = verdict.remark[0] != '\0' ? verdict.remark : NULL,
        .explanation = is_explained ? buffer_text(&verdict.explanation) : NULL,
    };
    count(session, &verdict);
    report_item(&session->report, &item);
    complain_of_refusal(session, &item);
    show_progress(session);
    return true;
}

void session_begin(struct session *session) {
    const struct report_options *options = session->options;
    session->report = (struct report){
        .form = options->form,
        .out = stdout,
        .is_coloured = options_want_colour(),
        .has_diff = options->has_diff,
        .is_verbose = options->is_verbose,
        .is_live = session->context.is_live,
        .version = CAPSTAN_VERSION,
    };
    /* On the same terminal it would stand between the lines of the report. */
    progress_turn(&session->progress, !isatty(STDOUT_FILENO));
    report_begin(&session->report);
}

bool session_end(struct session *session, struct error *error) {
    report_end(&session->report, &session->totals);
    progress_wipe(&session->progress);
    return (fflush(stdout) == 0 && ferror(stdout) == 0) ||
           error_set(error, ERROR_INVALID, "standard output does not take what is written");
}

int session_status(const struct session *session) {
    const struct report_totals *totals = &session->totals;
    enum report_threshold threshold = session->options->threshold;
    bool is_over = totals->n_denied > 0 ||
                   (totals->n_unresolved > 0 && session->policy->fails_unresolved) ||
                   (threshold != FAIL_ON_DENIAL && totals->n_changed > 0) ||
                   (threshold == FAIL_ON_WARNING && totals->n_warned > 0);
    return is_over ? STATUS_FAILED : STATUS_OK;
}

int session_give_up(const struct error *error) {
    (void)exit_with(error);
    return STATUS_USAGE;
}
