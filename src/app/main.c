// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/attribute.h"
#include "commands.h"
#include "edge/process.h"
#include "exit_status.h"

static int version_command(int argc, char **argv);
static int help_command(int argc, char **argv);

static const struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"serve", "answer AdmissionReviews over TLS and keep the status conditions", serve_command},
    {"review", "judge manifests as the webhook would, for CI", review_command},
    {"audit", "judge what is in a cluster now, by a policy", audit_command},
    {"explain", "describe a rule, its modes and an example", explain_command},
    {"doctor", "check an installation, and name the remedies", doctor_command},
    {"certs", "make a CA and a serving pair for development", certs_command},
    {"version", "print the version", version_command},
    {"help", "print this help, or that of a command", help_command},
};

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static void print_help(FILE *out) {
    fputs("Usage: capstan COMMAND [option]...\n"
          "\n"
          "A Kubernetes admission webhook that holds the line on the replicas of MCP servers.\n"
          "\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].summary);
    }
    fputs("\n'capstan COMMAND --help' tells more of each.\n", out);
}

static int refuse(const char *before, const char *word, const char *after) {
    struct error error;
    error_set(&error, ERROR_INVALID, "%s '%.64s'%s", before, word, after);
    return exit_with(&error);
}

static int unknown_command(const char *name) {
    return refuse("unknown command", name, "; 'capstan help' lists them");
}

static int version_command(int argc, char **argv) {
    if (argc > 0) {
        return refuse("version takes no argument, not", argv[0], "");
    }
    puts("capstan " CAPSTAN_VERSION);
    return STATUS_OK;
}

static int help_command(int argc, char **argv) {
    if (argc == 0) {
        print_help(stdout);
        return STATUS_OK;
    }
    if (argc > 1) {
        return refuse("help takes one command, not", argv[1], "");
    }
    const struct command *command = find_command(argv[0]);
    if (command == NULL) {
        return unknown_command(argv[0]);
    }
    if (command->run == help_command || command->run == version_command) {
        printf("Usage: capstan %s\n\n%s\n", command->name, command->summary);
        return STATUS_OK;
    }
    char *arguments[] = {"--help"};
    return command->run(1, arguments);
}

int main(int argc, char **argv) {
    process_hide_memory(); /* most commands read a key or a token */
    if (argc < 2) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return help_command(0, NULL);
    }
    if (strcmp(argv[1], "--version") == 0) {
        return version_command(argc - 2, argv + 2);
    }
    const struct command *command = find_command(argv[1]);
    if (command == NULL) {
        return unknown_command(argv[1]);
    }
    int status = command->run(argc - 2, argv + 2);
    struct error error;
    bool is_written = fflush(stdout) == 0 && ferror(stdout) == 0;
    if (!is_written && status == STATUS_OK) {
        error_set(&error, ERROR_UNAVAILABLE, "standard output does not take what is written");
        status = exit_with(&error);
    }
    return status;
}
