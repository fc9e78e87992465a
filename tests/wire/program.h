// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_WIRE_PROGRAM_H
#define TESTS_WIRE_PROGRAM_H

/*
 * `capstan serve` as a process of its own, in a folder of its own:
 *
 *     certs/        made by `capstan certs`
 *     objects/      what --objects reads
 *     policy.yaml   --config, where a test wants one
 *     status/       --status-dir, where a test wants one
 *     kubeconfig    --kubeconfig, where a test wants that instead of --objects
 *     log           its standard error
 *
 * The binary is the one that the environment variable CAPSTAN names. What cannot go wrong in a test
 * fails the test here.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "edge/http/http_client.h"

enum { PROGRAM_PATH_SIZE = 512 };

struct program {
    /* What program_init() has set, to be changed before program_start(). */
    bool has_policy;
    bool has_status;
    bool has_kubeconfig;
    bool elects_leader;
    const char *shutdown_delay; /* "0s" */
    const char *log_level;      /* "info" */
    unsigned workers;           /* 2 */
    uint16_t fixed_port;        /* of the webhook; 0: any */
    unsigned descriptors_max;   /* 0: as many as this process may have */

    char folder[PROGRAM_PATH_SIZE];
    SSL_CTX *client; /* trusts the CA in the folder */
    pid_t pid;       /* 0: it does not run */
    uint16_t webhook_port;
    uint16_t probe_port;
    uint16_t metrics_port;
};

/* Makes the folder and the certificates. */
void program_init(struct program *program);

/* Kills what still runs, and removes the folder. */
void program_fini(struct program *program);

/* For cmocka: *state is a struct program that runs with the samples' facts (mcpservers-live.json
   and deployments-live.json). */
int program_setup(void **state);
int program_teardown(void **state);

/* Starts the process. The second and the third also wait, for at most 10 s, until it listens or is
   ready, and so know its ports. */
void program_launch(struct program *program);
void program_start_unready(struct program *program);
void program_start(struct program *program);

void program_signal(const struct program *program, int signal);

/* Waits at most 10 s for the end. Returns the exit status, or 128 and the signal. */
int program_wait(struct program *program);

/* SIGTERM, then program_wait(). */
int program_stop(struct program *program);

bool program_is_running(const struct program *program);

/* A connection over TLS, to its name "localhost", that checks the certificate. */
void program_connect(const struct program *program, struct http_client *ret_client);

/* Files of the folder, by their path in it. program_put() replaces by a rename, and makes the
   folders above; program_write() writes in place. */
void program_path(const struct program *program, const char *name, char out[PROGRAM_PATH_SIZE]);
void program_put(const struct program *program, const char *name, const char *text);
void program_write(const struct program *program, const char *name, const char *text);
void program_remove(const struct program *program, const char *name);
bool program_has(const struct program *program, const char *name);
char *program_read(const struct program *program, const char *name);

/* Puts a file of tests/wire/samples into objects/. */
void program_put_sample(const struct program *program, const char *sample);

/* Lines of the log that have the text. program_wait_for_log() waits at most 5 s for as many. */
size_t program_count_log(const struct program *program, const char *text);
void program_wait_for_log(const struct program *program, const char *text, size_t n);

/* Waits until all that was changed before has been looked at, and the conditions seen to. There
   must be a policy, and a good one: reading it again is what is waited for. */
void program_wait_for_pass(const struct program *program);

/* A series of /metrics by its name with its labels; and waits at most 5 s until it is in a range.
 */
int64_t program_metric(const struct program *program, const char *series);
void program_wait_for_metric(const struct program *program, const char *series, int64_t low,
                             int64_t high);

/* Processor time that the process has used, in ticks of 10 ms; and a line of its
   /proc/PID/status in KiB, as "VmRSS". */
int64_t program_cpu_ticks(const struct program *program);
int64_t program_memory_kib(const struct program *program, const char *line);

/* Runs a shell command. Returns its exit status; its output, standard error included, is cut to the
   size. $CAPSTAN, and $FOLDER (if there is a program), $PORT and $SAMPLES can be used. */
int program_shell(const struct program *program, const char *command, char *ret_output,
                  size_t output_size);

/* Sanitizers multiply time and memory. */
bool program_is_sanitized(void);

#endif
