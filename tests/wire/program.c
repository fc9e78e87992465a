// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"

enum { ARGUMENTS_MAX = 40, PATIENCE_MS = 10000, READY_MS = 10000, ADDRESS_SIZE = 32 };

static const char *binary(void) {
    const char *path = getenv("CAPSTAN");
    if (path == NULL) {
        fail_msg("the environment variable CAPSTAN does not say where the program is");
    }
    return path;
}

static void trust(struct program *program) {
    char path[PROGRAM_PATH_SIZE];
    program_path(program, "certs/ca.crt", path);
    program->client = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_load_verify_locations(program->client, path, NULL), 1);
    SSL_CTX_set_verify(program->client, SSL_VERIFY_PEER, NULL);
}

void program_init(struct program *program) {
    char output[1024];
    *program = (struct program){
        .shutdown_delay = "0s", .log_level = "info", .workers = 2, .host = "127.0.0.1"};
    snprintf(program->folder, sizeof(program->folder), "/tmp/test-wire-XXXXXX");
    assert_non_null(mkdtemp(program->folder));
    if (program_shell(program, "mkdir $FOLDER/objects && \"$CAPSTAN\" certs --out $FOLDER/certs",
                      output, sizeof(output)) != 0) {
        fail_msg("%s", output);
    }
    trust(program);
}

void program_fini(struct program *program) {
    char output[1024];
    if (program->pid != 0) {
        kill(program->pid, SIGKILL);
        waitpid(program->pid, NULL, 0);
    }
    SSL_CTX_free(program->client);
    program_shell(program, "rm -rf $FOLDER", output, sizeof(output));
}

int program_setup(void **state) {
    struct program *program = memory_new(1, sizeof(*program));
    *state = program;
    program_init(program);
    program_put_sample(program, "mcpservers-live.json");
    program_put_sample(program, "deployments-live.json");
    program_start(program);
    return 0;
}

int program_teardown(void **state) {
    struct program *program = *state;
    int status = program_stop(program);
    program_fini(program);
    free(program);
    return status;
}

/* The arguments. Their memory outlives the call of execv(). */
struct command {
    char objects[PROGRAM_PATH_SIZE];
    char certs[PROGRAM_PATH_SIZE];
    char policy[PROGRAM_PATH_SIZE];
    char status[PROGRAM_PATH_SIZE];
    char kubeconfig[PROGRAM_PATH_SIZE];
    char address[ADDRESS_SIZE];
    char any_port[ADDRESS_SIZE];
    char workers[ADDRESS_SIZE];
    const char *arguments[ARGUMENTS_MAX];
    size_t n_arguments;
};

static void add(struct command *command, const char *option, const char *value) {
    assert_true(command->n_arguments + 3 < ARGUMENTS_MAX);
    command->arguments[command->n_arguments++] = option;
    command->arguments[command->n_arguments++] = value;
}

static void make_command(const struct program *program, struct command *command) {
    *command = (struct command){.arguments = {binary(), "serve"}, .n_arguments = 2};
    program_path(program, "objects", command->objects);
    program_path(program, "certs", command->certs);
    program_path(program, "policy.yaml", command->policy);
    program_path(program, "status", command->status);
    program_path(program, "kubeconfig", command->kubeconfig);
    snprintf(command->address, sizeof(command->address), "%s:%u", program->host,
             program->fixed_port);
    snprintf(command->any_port, sizeof(command->any_port), "%s:0", program->host);
    snprintf(command->workers, sizeof(command->workers), "%u", program->workers);
    if (program->has_kubeconfig) {
        add(command, "--kubeconfig", command->kubeconfig);
    } else {
        add(command, "--objects", command->objects);
    }
    if (!program->makes_certificates) {
        add(command, "--webhook-cert-path", command->certs);
    }
    if (program->fails_closed) {
        command->arguments[command->n_arguments++] = "--fail-closed";
    }
    if (program->trust_delay != NULL) {
        add(command, "--ca-trust-delay", program->trust_delay);
    }
    for (size_t i = 0; program->watch_namespaces[i] != NULL; i++) {
        add(command, "--watch-namespace", program->watch_namespaces[i]);
    }
    add(command, "--webhook-bind-address", command->address);
    add(command, "--health-probe-bind-address", command->any_port);
    add(command, "--metrics-bind-address", command->any_port);
    add(command, "--workers", command->workers);
    add(command, "--shutdown-delay", program->shutdown_delay);
    add(command, "--log-format", "json");
    add(command, "--log-level", program->log_level);
    if (program->has_policy) {
        add(command, "--config", command->policy);
    }
    if (program->has_status) {
        add(command, "--status-dir", command->status);
    }
    if (program->elects_leader) {
        command->arguments[command->n_arguments++] = "--leader-elect";
    }
}

/* Runs in the child of fork(). The parent has no threads. */
static _Noreturn void execute(const struct program *program, const struct command *command,
                              int log) {
    if (program->descriptors_max > 0) {
        struct rlimit limit = {program->descriptors_max, program->descriptors_max};
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (program->user != 0 && (setgid(program->user) != 0 || setuid(program->user) != 0)) {
        _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    dup2(log, STDERR_FILENO);
    execv(command->arguments[0], (char *const *)(uintptr_t)command->arguments);
    _exit(127);
}

void program_launch(struct program *program) {
    struct command command;
    char path[PROGRAM_PATH_SIZE];
    make_command(program, &command);
    program_path(program, "log", path);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(log >= 0);
    program->pid = fork();
    assert_true(program->pid >= 0);
    if (program->pid == 0) {
        execute(program, &command, log);
    }
    close(log);
}

static uint16_t read_port(const char *line, const char *name) {
    unsigned port = 0;
    const char *at = strstr(line, name);
    if (at == NULL || sscanf(at + strlen(name), "\":%u", &port) != 1) {
        fail_msg("no %s in '%s'", name, line);
    }
    return (uint16_t)port;
}

/* Launches the program, and waits for another line of this event in the log, which has the
   ports. */
static void start_until(struct program *program, const char *event) {
    size_t n_before = program_count_log(program, event);
    program_launch(program);
    int64_t until_ms = http_now_ms() + READY_MS;
    while (program_count_log(program, event) == n_before) {
        if (!program_is_running(program) || http_now_ms() > until_ms) {
            AUTO_FREE char *log = program_read(program, "log");
            fail_msg("no %s: %s", event, log);
        }
        http_sleep_ms(1);
    }
    AUTO_FREE char *log = program_read(program, "log");
    const char *line = log;
    for (const char *next; (next = strstr(line + 1, event)) != NULL;) {
        line = next;
    }
    program->webhook_port = read_port(line, "webhookPort");
    program->probe_port = read_port(line, "probePort");
    program->metrics_port = read_port(line, "metricsPort");
}

void program_start(struct program *program) {
    start_until(program, "\"serve.ready\"");
}

void program_start_unready(struct program *program) {
    start_until(program, "\"serve.listening\"");
}

void program_signal(const struct program *program, int signal) {
    assert_int_equal(kill(program->pid, signal), 0);
}

bool program_is_running(const struct program *program) {
    siginfo_t info = {0};
    assert_int_equal(waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    return info.si_pid == 0;
}

int program_wait(struct program *program) {
    int64_t until_ms = http_now_ms() + PATIENCE_MS;
    int status = 0;
    while (program_is_running(program)) {
        if (http_now_ms() > until_ms) {
            fail_msg("process %d does not end", (int)program->pid);
        }
        http_sleep_ms(1);
    }
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    program->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_stop(struct program *program) {
    program_signal(program, SIGTERM);
    return program_wait(program);
}

void program_connect(const struct program *program, struct http_client *ret_client) {
    if (!http_client_open_tls(ret_client, program->webhook_port, program->client)) {
        fail_msg("no TLS on port %u", program->webhook_port);
    }
}
