// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "exit_status.h"

enum { COUNT_MAX = 1024, HELP_COLUMN = 34 };

void option_texts_fini(struct option_texts *texts) {
    free(texts->items);
    *texts = (struct option_texts){.items = NULL};
}

static const struct option *find_option(const struct option_table *table, const char *name,
                                        size_t size) {
    for (size_t i = 0; i < table->n_options; i++) {
        const struct option *option = &table->options[i];
        if (strlen(option->name) == size && memcmp(option->name, name, size) == 0) {
            return option;
        }
    }
    return NULL;
}

static bool set_value(const struct option *option, const char *value, void *target,
                      struct error *error) {
    void *member = (char *)target + option->offset;
    bool is_text = option->type == OPTION_TEXT || option->type == OPTION_TEXTS;
    if (is_text && value != NULL && value[0] == '\0') {
        return error_set(error, ERROR_INVALID, "--%s must not be empty", option->name);
    }
    switch (option->type) {
    case OPTION_SWITCH:
        *(bool *)member = value == NULL || strcmp(value, "true") == 0;
        return *(bool *)member || strcmp(value, "false") == 0 ||
               error_set(error, ERROR_INVALID, "--%s is true or false, not '%s'", option->name,
                         value);
    case OPTION_TEXT:
        *(const char **)member = value;
        return true;
    case OPTION_TEXTS: {
        struct option_texts *texts = member;
        texts->items = memory_resize(texts->items, texts->n_items + 1, sizeof(char *));
        texts->items[texts->n_items++] = value;
        return true;
    }
    case OPTION_DURATION:
        return text_parse_duration_ms(value, member) ||
               error_set(error, ERROR_INVALID,
                         "--%s: '%s' is not a duration such as 10s or 1m30s (at most 24h)",
                         option->name, value);
    case OPTION_COUNT:
        return text_parse_integer(value, 1, COUNT_MAX, member) ||
               error_set(error, ERROR_INVALID, "--%s: '%s' is not an integer from 1 to %d",
                         option->name, value, COUNT_MAX);
    }
    return false;
}

static const struct option *find_letter(const struct option_table *table, char letter) {
    for (size_t i = 0; i < table->n_options; i++) {
        if (table->options[i].letter == letter) {
            return &table->options[i];
        }
    }
    return NULL;
}

/* Reads "-n", "-nVALUE" or "-n=VALUE". NULL if no option has the letter, or a switch has a value.
 */
static const struct option *read_letter(const struct option_table *table, const char *argument,
                                        const char **ret_value) {
    const struct option *option =
        argument[1] == '\0' || argument[1] == '-' ? NULL : find_letter(table, argument[1]);
    const char *rest = argument[1] == '\0' ? "" : argument + 2;
    *ret_value = rest[0] == '\0' ? NULL : rest + (rest[0] == '=');
    bool is_odd = option != NULL && option->type == OPTION_SWITCH && *ret_value != NULL;
    return is_odd ? NULL : option;
}

/* Finds the option of the argument "--name", "--name=VALUE" or "-n", and the value if it has one.
   NULL, with the error set, if there is no such option. */
static const struct option *read_name(const struct option_table *table, const char *argument,
                                      const char **ret_value, struct error *error) {
    *ret_value = NULL;
    if (argument[0] == '-' && argument[1] != '-') {
        const struct option *option = read_letter(table, argument, ret_value);
        if (option != NULL) {
            return option;
        }
    }
    if (strncmp(argument, "--", 2) != 0) {
        error_set(error, ERROR_INVALID, "'%s' is not an option; see --help", argument);
        return NULL;
    }
    const char *name = argument + 2;
    size_t size = strcspn(name, "=");
    const struct option *option = find_option(table, name, size);
    *ret_value = name[size] == '=' ? name + size + 1 : NULL;
    if (option == NULL) {
        error_set(error, ERROR_INVALID, "unknown option '--%.*s'; see --help",
                  (int)(size < 64 ? size : 64), name);
    }
    return option;
}

/* Reads the option at argv[*i]. If its value is the next argument, steps over that. */
static bool parse_one(const struct option_table *table, int argc, char **argv, int *i, void *target,
                      struct error *error) {
    const char *value;
    const struct option *option = read_name(table, argv[*i], &value, error);
    if (option == NULL) {
        return false;
    }
    if (option->type != OPTION_SWITCH && value == NULL) {
        if (*i + 1 >= argc) {
            return error_set(error, ERROR_INVALID, "--%s needs a value: %s", option->name,
                             option->argument);
        }
        value = argv[++*i];
    }
    return set_value(option, value, target, error);
}

enum option_result options_parse(const struct option_table *table, int argc, char **argv,
                                 void *target, struct error *error) {
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return OPTIONS_HELP;
        }
        if (!parse_one(table, argc, argv, &i, target, error)) {
            return OPTIONS_WRONG;
        }
    }
    return OPTIONS_READ;
}

void options_print_help(const struct option_table *table, FILE *out) {
    fprintf(out, "Usage: %s\n\n%s\n\nOptions:\n", table->usage, table->summary);
    for (size_t i = 0; i < table->n_options; i++) {
        const struct option *option = &table->options[i];
        const char letter[] = {'-', option->letter, ',', ' ', '\0'};
        int width = fprintf(out, "  %s--%s%s%s", option->letter == 0 ? "" : letter, option->name,
                            option->argument == NULL ? "" : " ",
                            option->argument == NULL ? "" : option->argument);
        if (width >= HELP_COLUMN) {
            width = 0;
            fputc('\n', out);
        }
        fprintf(out, "%*s%s\n", HELP_COLUMN - width, "", option->help);
    }
    fprintf(out, "  -h, --help%*sshow this help\n", HELP_COLUMN - 12, "");
    if (table->epilogue != NULL) {
        fprintf(out, "\n%s\n", table->epilogue);
    }
}

bool options_begin(const struct option_table *table, int argc, char **argv, void *target,
                   int *ret_status) {
    struct error error;
    enum option_result result = options_parse(table, argc, argv, target, &error);
    if (result == OPTIONS_HELP) {
        options_print_help(table, stdout);
        *ret_status = STATUS_OK;
        return false;
    }
    if (result == OPTIONS_WRONG || (table->check != NULL && !table->check(target, &error))) {
        *ret_status = exit_with(&error);
        return false;
    }
    return true;
}

bool options_want_colour(void) {
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
}
