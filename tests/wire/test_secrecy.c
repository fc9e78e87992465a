// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base/memory.h"
#include "wire/program.h"

enum { NOBODY = 65534, OUTPUT_SIZE = 1024, PATH_SIZE = 64 };

static int set_up(void **state) {
    static struct program program;
    program_init(&program);
    *state = &program;
    return 0;
}

static int tear_down(void **state) {
    program_fini(*state);
    return 0;
}

/* Starts the program as a user without rights, who owns a copy of it. A test that is not run by
   root has no rights anyway. Returns the user. */
static uid_t start_without_rights(struct program *program) {
    char binary[PROGRAM_PATH_SIZE];
    char output[OUTPUT_SIZE];
    const char *original = getenv("CAPSTAN");
    if (getuid() != 0) {
        program_start(program);
        return getuid();
    }
    program_put(program, "log", "");
    assert_int_equal(program_shell(program,
                                   "cp \"$CAPSTAN\" $FOLDER/capstan && chown -R 65534 $FOLDER",
                                   output, sizeof(output)),
                     0);
    AUTO_FREE char *kept = strdup(original);
    program_path(program, "capstan", binary);
    setenv("CAPSTAN", binary, 1);
    program->user = NOBODY;
    program_start(program);
    setenv("CAPSTAN", kept, 1);
    return NOBODY;
}

/* A process of the user that is as processes usually are. */
static pid_t start_usual(uid_t user) {
    int ends[2];
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (user == getuid() || (setgid(user) == 0 && setuid(user) == 0)) {
            execlp("sleep", "sleep", "60", (char *)NULL);
        }
        _exit(127);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* exec() has closed the other end */
    close(ends[0]);
    return pid;
}

static uid_t owner_of(pid_t pid, const char *name) {
    char path[PATH_SIZE];
    struct stat status;
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    assert_int_equal(stat(path, &status), 0);
    return status.st_uid;
}

/* Only root may look: the kernel gives the files below /proc/PID to it. */
static void test_secrecy__the_memory_and_the_environment_are_roots(void **state) {
    static const char *const names[] = {"environ", "mem", "maps"};
    struct program *program = *state;
    uid_t user = start_without_rights(program);
    pid_t usual = start_usual(user);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(owner_of(usual, names[i]), user);
        assert_int_equal(owner_of(program->pid, names[i]), 0);
    }
    kill(usual, SIGKILL);
    waitpid(usual, NULL, 0);
    assert_int_equal(program_stop(program), 0);
}

/* Runs as the user. Returns the error of reading that memory; EFAULT means that only the address
   was wrong. */
static int try_to_read(pid_t pid, uid_t user) {
    int status;
    pid_t reader = fork();
    if (reader == 0) {
        char byte;
        const struct iovec local = {&byte, 1};
        const struct iovec remote = {(void *)(uintptr_t)4096, 1};
        if (user != getuid() && (setgid(user) != 0 || setuid(user) != 0)) {
            _exit(255);
        }
        _exit(process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1 ? 0 : errno);
    }
    assert_int_equal(waitpid(reader, &status, 0), reader);
    return WEXITSTATUS(status);
}

static void test_secrecy__another_process_of_the_user_cannot_read_its_memory(void **state) {
    struct program *program = *state;
    uid_t user = start_without_rights(program);
    assert_int_equal(try_to_read(program->pid, user), EPERM);
    assert_int_equal(program_stop(program), 0);
}

static void test_secrecy__there_is_no_core(void **state) {
    struct program *program = *state;
    char command[OUTPUT_SIZE];
    char output[OUTPUT_SIZE];
    program_start(program);
    snprintf(command, sizeof(command), "grep 'Max core file size' /proc/%d/limits | tr -s ' '",
             (int)program->pid);
    assert_int_equal(program_shell(program, command, output, sizeof(output)), 0);
    assert_non_null(strstr(output, "Max core file size 0 0 bytes"));
    assert_int_equal(program_stop(program), 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_secrecy__the_memory_and_the_environment_are_roots),
        FRESH(test_secrecy__another_process_of_the_user_cannot_read_its_memory),
        FRESH(test_secrecy__there_is_no_core),
    };
    return cmocka_run_group_tests_name("wire/secrecy", tests, NULL, NULL);
}
