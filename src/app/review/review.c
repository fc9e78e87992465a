// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "exit_status.h"
#include "report/session.h"
#include "review_gather.h"
#include "review_input.h"
#include "review_options.h"

struct run {
    const struct review_options *options;
    struct buffer standard_input;
    struct review_old old;
    struct session session;
};

static const struct object *find_old(const void *context, const struct object *object) {
    return review_old_find(context, object);
}

static bool prepare(struct run *run, struct error *error) {
    const struct review_options *options = run->options;
    struct session *session = &run->session;
    bool wants_stdin = review_input_names_stdin(&options->paths) ||
                       review_input_names_stdin(&options->facts) ||
                       review_input_names_stdin(&options->old);
    if ((wants_stdin && !review_input_read_stdin(&run->standard_input, error)) ||
        !session_read_policy(session, error) ||
        !review_gather(options, &run->standard_input, session->facts, &run->old, error)) {
        return false;
    }
    session->context.find_old = find_old;
    session->context.old = &run->old;
    session->context.has_cluster = options->kubeconfig != NULL;
    session->context.fills_defaults = options->fills_defaults;
    return true;
}

static bool review_one(void *context, const struct review_input *input, struct error *error) {
    const struct session_object object = {input->path, input->line, input->column, input->item};
    return session_judge(context, &object, error);
}

static int judge_all(struct run *run) {
    const struct review_options *options = run->options;
    struct session *session = &run->session;
    struct error error;
    struct error end;
    if (!prepare(run, &error)) {
        return session_give_up(&error);
    }
    session_begin(session);
    bool is_read =
        review_input_each(&options->paths, &run->standard_input, review_one, session, &error);
    if (!session_end(session, &end)) {
        return session_give_up(&end);
    }
    if (!is_read) {
        return session_give_up(&error);
    }
    if (session_count(session) == 0) {
        /* A mistyped folder, or a render that failed, must not look as if all were well. */
        complain("nothing to review: no object is in what was given");
    }
    return session_status(session);
}

int review_command(int argc, char **argv) {
    struct review_options options;
    int status;
    if (review_options_read(argc, argv, &options, &status)) {
        struct run run = {.options = &options};
        session_init(&run.session, &options.report, "reviewing");
        status = judge_all(&run);
        session_fini(&run.session);
        review_old_fini(&run.old);
        buffer_fini(&run.standard_input);
    }
    review_options_fini(&options);
    return status;
}
