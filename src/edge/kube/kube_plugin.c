// SPDX-License-Identifier: Apache-2.0
#include "kube_plugin.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "kube_plugin_text.h"
#include "kube_text.h"

enum { INFO_MAX = 4 << 20 };

struct kube_plugin_run {
    const struct kube_plugin *plugin;
    int64_t started_ms;
    pid_t process;       /* 0 before the start and after the end */
    int status;          /* from waitpid(), once it has ended */
    int output;          /* reading end of its standard output; -1 once closed */
    int process_ended;   /* pidfd, readable when it has ended; -1 if the kernel has none */
    int any;             /* epoll of the two above */
    struct buffer bytes; /* what it has printed */
};

/* Replaces the variable of the same name, or adds it. The array must have room. */
static void set_variable(char **variables, char *variable) {
    size_t name_size = strcspn(variable, "=");
    size_t i = 0;
    while (variables[i] != NULL &&
           (strncmp(variables[i], variable, name_size) != 0 || variables[i][name_size] != '=')) {
        i++;
    }
    variables[i] = variable;
}

static size_t count(char *const *texts) {
    size_t n = 0;
    while (texts[n] != NULL) {
        n++;
    }
    return n;
}

/* The array is owned, the variables are borrowed. */
static char **make_environment(const struct kube_plugin *plugin, char *info) {
    size_t n_ours = count(environ);
    size_t n_given = count(plugin->environment);
    char **variables = memory_new(n_ours + n_given + 2, sizeof(char *));
    memcpy(variables, environ, n_ours * sizeof(char *));
    for (size_t i = 0; i < n_given; i++) {
        set_variable(variables, plugin->environment[i]);
    }
    set_variable(variables, info);
    return variables;
}

/* The program blocks and ignores signals and has open descriptors. A plugin must inherit none of
   that. */
static int spawn(struct kube_plugin_run *run, int writing_end, char **environment) {
    static const int defaults[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t reset;
    sigemptyset(&none);
    sigemptyset(&reset);
    for (size_t i = 0; i < COUNT_OF(defaults); i++) {
        sigaddset(&reset, defaults[i]);
    }
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &reset);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writing_end, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    int number = posix_spawnp(&run->process, run->plugin->command[0], &actions, &attributes,
                              run->plugin->command, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (number != 0) {
        run->process = 0;
    }
    return number;
}

static bool fail_to_start(const struct kube_plugin *plugin, int number, struct error *error) {
    if (number != ENOENT) {
        char reason[80];
        snprintf(reason, sizeof(reason), "%s", strerror(number));
        reason[0] = (char)tolower((unsigned char)reason[0]);
        return error_set(error, ERROR_UNAVAILABLE, "it cannot be started: %s", reason);
    }
    const char *hint = plugin->install_hint == NULL ? "" : plugin->install_hint;
    AUTO_FREE char *line = memory_copy(hint, strlen(hint));
    kube_text_make_line(line);
    return error_set(error, ERROR_NOT_FOUND, "there is no such program%s%s",
                     *line == '\0' ? "" : "; ", line);
}

static void watch(struct kube_plugin_run *run, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN};
    if (descriptor >= 0) {
        epoll_ctl(run->any, EPOLL_CTL_ADD, descriptor, &event);
    }
}

static void close_once(int *descriptor) {
    if (*descriptor >= 0) {
        close(*descriptor);
        *descriptor = -1;
    }
}

static bool start(struct kube_plugin_run *run, char **environment, struct error *error) {
    int ends[2];
    run->any = epoll_create1(EPOLL_CLOEXEC);
    if (run->any < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        return fail_to_start(run->plugin, errno, error);
    }
    run->output = ends[0];
    AUTO(close_once) int writing_end = ends[1];
    if (fcntl(run->output, F_SETFL, O_NONBLOCK) != 0) {
        return fail_to_start(run->plugin, errno, error);
    }
    int number = spawn(run, writing_end, environment);
    if (number != 0) {
        return fail_to_start(run->plugin, number, error);
    }
    run->process_ended = pidfd_open(run->process, 0);
    watch(run, run->output);
    watch(run, run->process_ended);
    return true;
}

bool kube_plugin_start(const struct kube_access *access, int64_t now_ms,
                       struct kube_plugin_run **ret_run, struct error *error) {
    AUTO(buffer_fini) struct buffer info;
    buffer_init(&info, INFO_MAX);
    if (!kube_plugin_write_info(access, &info, error)) {
        return false;
    }
    AUTO_FREE char *variable = memory_copy(info.bytes, info.size);
    AUTO_FREE char **environment = make_environment(access->plugin, variable);
    struct kube_plugin_run *run = memory_new(1, sizeof(*run));
    *run = (struct kube_plugin_run){.plugin = access->plugin,
                                    .started_ms = now_ms,
                                    .output = -1,
                                    .process_ended = -1,
                                    .any = -1};
    buffer_init_secret(&run->bytes, KUBE_PLUGIN_OUTPUT_MAX);
    if (!start(run, environment, error)) {
        kube_plugin_free(run);
        return false;
    }
    *ret_run = run;
    return true;
}

/* A plugin that became another user cannot be killed. Do not wait for it. */
static void kill_all(struct kube_plugin_run *run) {
    if (run->process > 0) {
        bool is_killed = kill(-run->process, SIGKILL) == 0;
        waitpid(run->process, NULL, is_killed ? 0 : WNOHANG);
        run->process = 0;
    }
}

void kube_plugin_free(struct kube_plugin_run *run) {
    if (run != NULL) {
        kill_all(run);
        close_once(&run->output);
        close_once(&run->process_ended);
        close_once(&run->any);
        buffer_fini(&run->bytes);
        free(run);
    }
}

static void read_output(struct kube_plugin_run *run) {
    char bytes[16384];
    while (run->output >= 0 && !run->bytes.is_cut) {
        ssize_t n = read(run->output, bytes, sizeof(bytes));
        if (n > 0) {
            buffer_add(&run->bytes, bytes, (size_t)n);
        } else if (n < 0 && errno == EAGAIN) {
            break;
        } else if (n == 0 || errno != EINTR) {
            close_once(&run->output);
        }
    }
    memory_wipe(bytes, sizeof(bytes));
}

/* If SIGCHLD is ignored, the exit status is lost. Then the output must tell. */
static bool has_ended(struct kube_plugin_run *run) {
    pid_t ended = waitpid(run->process, &run->status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno != ECHILD)) {
        return false;
    }
    run->status = ended < 0 ? 0 : run->status;
    run->process = 0;
    return true;
}

static bool judge(const struct kube_plugin_run *run, struct error *error) {
    if (WIFSIGNALED(run->status)) {
        return error_set(error, ERROR_UNAVAILABLE, "it was ended by signal %d",
                         WTERMSIG(run->status));
    }
    return WEXITSTATUS(run->status) == 0 ||
           error_set(error, ERROR_UNAVAILABLE, "it ended with status %d", WEXITSTATUS(run->status));
}

enum kube_plugin_state kube_plugin_step(struct kube_plugin_run *run, int64_t now_ms,
                                        const char **ret_output, size_t *ret_size,
                                        struct error *error) {
    /* First ask for the end, then read: once the process has ended, its output is complete. */
    bool is_over = has_ended(run);
    read_output(run);
    if (run->bytes.is_cut) {
        kill_all(run);
        error_set(error, ERROR_TOO_LARGE, "it printed more than %d bytes", KUBE_PLUGIN_OUTPUT_MAX);
        return KUBE_PLUGIN_FAILED;
    }
    if (is_over) {
        *ret_output = run->bytes.bytes;
        *ret_size = run->bytes.size;
        return judge(run, error) ? KUBE_PLUGIN_ENDED : KUBE_PLUGIN_FAILED;
    }
    if (now_ms - run->started_ms >= KUBE_PLUGIN_TIMEOUT_MS) {
        kill_all(run);
        error_set(error, ERROR_TIMEOUT, "it did not end within %d s",
                  KUBE_PLUGIN_TIMEOUT_MS / 1000);
        return KUBE_PLUGIN_FAILED;
    }
    return KUBE_PLUGIN_RUNS;
}

int kube_plugin_descriptor(const struct kube_plugin_run *run) {
    return run->any;
}
