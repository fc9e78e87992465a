// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_edit.h"
#include "base/text.h"
#include "commands.h"
#include "document.h"
#include "edge/clock.h"
#include "exit_status.h"
#include "report_forms.h"
#include "review_gather.h"
#include "review_input.h"
#include "review_options.h"
#include "verdict.h"

enum { PROGRESS_EVERY = 500, WORD_SIZE = 32 };

struct session {
    const struct review_options *options;
    struct buffer standard_input;
    struct policy *policy;
    struct facts *facts;
    struct review_old old;
    struct verdict_context context;
    struct report report;
    struct report_totals totals;
    bool shows_progress;
};

static void complain_of_caution(const struct session *session) {
    const char *caution = policy_caution(session->policy);
    if (caution != NULL) {
        AUTO(buffer_fini) struct buffer line;
        buffer_init(&line, SIZE_MAX);
        buffer_add_format(&line, "warning: %s: %s", session->options->config, caution);
        complain(buffer_text(&line));
    }
}

static bool prepare(struct session *session, struct error *error) {
    const struct review_options *options = session->options;
    bool wants_stdin = review_input_names_stdin(&options->paths) ||
                       review_input_names_stdin(&options->facts) ||
                       review_input_names_stdin(&options->old);
    if (wants_stdin && !review_input_read_stdin(&session->standard_input, error)) {
        return false;
    }
    if (options->config == NULL) {
        session->policy = policy_default();
    } else if (!document_read_policy(options->config, &session->policy, error)) {
        return false;
    }
    complain_of_caution(session);
    if (!review_gather(options, &session->standard_input, session->facts, &session->old, error)) {
        return false;
    }
    session->context = (struct verdict_context){
        .policy = session->policy,
        .facts = session->facts,
        .old = &session->old,
        .has_cluster = options->kubeconfig != NULL,
        .fills_defaults = options->fills_defaults,
        .explains = options->explains,
        .now = clock_wall_seconds(),
    };
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
static void complain_of_refusal(const struct session *session, const struct report_item *item) {
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
    complain(buffer_text(&line));
}

static size_t count_done(const struct session *session) {
    return session->totals.n_objects + session->totals.n_passed_over;
}

static void show_progress(const struct session *session) {
    size_t n = count_done(session);
    if (session->shows_progress && n % PROGRESS_EVERY == 0) {
        fprintf(stderr, "\rreviewing ... %zu", n);
    }
}

static void wipe_progress(const struct session *session) {
    if (session->shows_progress && count_done(session) >= PROGRESS_EVERY) {
        fputs("\r\033[K", stderr);
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

static bool review_one(void *context, const struct review_input *input, struct error *error) {
    struct session *session = context;
    AUTO(verdict_fini) struct verdict verdict;
    struct identity identity;
    if (!verdict_make(&session->context, input->item, &verdict, error)) {
        error->offset = input->item->offset;
        return false;
    }
    read_identity(input->item, &verdict, &identity);
    bool is_explained = session->options->explains && verdict.is_decided;
    const struct report_item item = {
        .path = input->path,
        .line = input->line,
        .column = input->column,
        .api_version = identity.api_version,
        .kind = verdict.is_recorded ? verdict.review.kind_text : input->item->kind,
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

static int status_of(const struct session *session) {
    const struct report_totals *totals = &session->totals;
    enum review_threshold threshold = session->options->threshold;
    bool is_over = totals->n_denied > 0 ||
                   (totals->n_unresolved > 0 && session->policy->fails_unresolved) ||
                   (threshold != FAIL_ON_DENIAL && totals->n_changed > 0) ||
                   (threshold == FAIL_ON_WARNING && totals->n_warned > 0);
    return is_over ? STATUS_FAILED : STATUS_OK;
}

/* Ends with exit status 2 after any error, since 1 would be a verdict. */
static int give_up(const struct error *error) {
    (void)exit_with(error);
    return STATUS_USAGE;
}

static int run(struct session *session) {
    const struct review_options *options = session->options;
    struct error error;
    if (!prepare(session, &error)) {
        return give_up(&error);
    }
    session->report = (struct report){
        .form = options->form,
        .out = stdout,
        .is_coloured = options_want_colour(),
        .has_diff = options->has_diff,
        .is_verbose = options->is_verbose,
        .version = CAPSTAN_VERSION,
    };
    session->shows_progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
    report_begin(&session->report);
    bool is_read =
        review_input_each(&options->paths, &session->standard_input, review_one, session, &error);
    report_end(&session->report, &session->totals);
    wipe_progress(session);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        error_set(&error, ERROR_INVALID, "standard output does not take what is written");
        is_read = false;
    }
    if (!is_read) {
        return give_up(&error);
    }
    if (count_done(session) == 0) {
        /* A mistyped folder, or a render that failed, must not look as if all were well. */
        complain("nothing to review: no object is in what was given");
    }
    return status_of(session);
}

int review_command(int argc, char **argv) {
    struct review_options options;
    int status;
    if (review_options_read(argc, argv, &options, &status)) {
        struct session session = {.options = &options, .facts = facts_new()};
        status = run(&session);
        facts_free(session.facts);
        policy_free(session.policy);
        review_old_fini(&session.old);
        buffer_fini(&session.standard_input);
    }
    review_options_fini(&options);
    return status;
}
