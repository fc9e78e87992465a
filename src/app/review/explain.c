// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "exit_status.h"
#include "options.h"
#include "report/rule_text.h"

enum { LINE_WIDTH = 80, LIST_COLUMN = 21, MODE_COLUMN = 11, ROW_COLUMN = 6 };

static const struct option_table explain_table = {
    .usage = "capstan explain [RULE]",
    .summary = "Describes a rule, its modes and its rows of the decision table, with an example.\n"
               "Without RULE, lists the rules.",
};

/* Prints words from column `at` on, and continues on new lines at `column`. */
static void print_words(const char *text, int at, int column) {
    bool is_first = true;
    while (*text != '\0') {
        int size = (int)strcspn(text, " ");
        if (!is_first && at + 1 + size > LINE_WIDTH) {
            printf("\n%*s", column, "");
            at = column;
        } else if (!is_first) {
            putchar(' ');
            at++;
        }
        printf("%.*s", size, text);
        at += size;
        text += size;
        text += strspn(text, " ");
        is_first = false;
    }
    putchar('\n');
}

static void print_lines(const struct rule_line *lines, int column) {
    for (; lines->head != NULL; lines++) {
        printf("  %-*s", column - 2, lines->head);
        print_words(lines->text, column, column);
    }
}

static void print_list(void) {
    for (size_t i = 0; i < RULE_TEXT_COUNT; i++) {
        printf("%-*s", LIST_COLUMN, rule_texts[i].id);
        print_words(rule_texts[i].summary, LIST_COLUMN, LIST_COLUMN);
    }
    fputs("\n'capstan explain RULE' tells more of each.\n", stdout);
}

/* The modes of a rule that has no page. */
static void print_modes(enum rule_id rule) {
    static const struct rule_line modes[] = {
        [MODE_OFF] = {"off", "the rule is not applied"},
        [MODE_WARN] = {"warn", "a warning, and nothing is changed"},
        [MODE_ENFORCE] = {"enforce", "the object is changed"},
        [MODE_DENY] = {"deny", "a new violation is refused with 403"},
    };
    for (int mode = MODE_OFF; mode <= MODE_DENY; mode++) {
        if (rule_has_mode(rule, (enum mode)mode)) {
            print_lines((const struct rule_line[]){modes[mode], {NULL, NULL}}, MODE_COLUMN);
        }
    }
}

/* The kinds that the rule may have something to say about, from its row and the table of kinds. */
static void print_kinds(enum rule_id rule) {
    char text[256] = "Kinds:";
    for (int kind = OBJECT_OTHER + 1; kind < OBJECT_KIND_COUNT; kind++) {
        size_t used = strlen(text);
        if (rule_is_about(rule, (enum object_kind)kind)) {
            snprintf(text + used, sizeof(text) - used, "%s %s", used > strlen("Kinds:") ? "," : "",
                     kind_rows[kind].kind);
        }
    }
    print_words(text, 0, 0);
}

static void print_rule(const struct rule_text *rule) {
    const struct rule_page *page = rule->page;
    printf("%s: ", rule->id);
    print_words(rule->summary, (int)strlen(rule->id) + 2, 0);
    if (page->description == NULL) {
        putchar('\n');
        print_kinds((enum rule_id)(rule - rule_texts));
        printf("\nModes (%s):\n", rule->setting);
        print_modes((enum rule_id)(rule - rule_texts));
        return;
    }
    putchar('\n');
    print_words(page->description, 0, 0);
    if (rule - rule_texts < RULE_COUNT) {
        putchar('\n');
        print_kinds((enum rule_id)(rule - rule_texts));
    }
    printf("\nModes (%s):\n", rule->setting);
    print_lines(page->modes, MODE_COLUMN);
    fputs("\nRows of the decision table:\n", stdout);
    print_lines(page->rows, ROW_COLUMN);
    fputs("\nExample:\n  ", stdout);
    print_words(page->example, 2, 2);
}

/* Lists the names, since somebody has mistyped one. */
static int unknown_rule(const char *id) {
    struct error error;
    char names[256] = "";
    for (size_t i = 0; i < RULE_TEXT_COUNT; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "", rule_texts[i].id);
    }
    error_set(&error, ERROR_INVALID, "unknown rule '%.64s'; there are %s", id, names);
    return exit_with(&error);
}

int explain_command(int argc, char **argv) {
    const char *id = NULL;
    if (argc > 0 && argv[0][0] != '-') {
        id = argv[0];
        argc--;
        argv++;
    }
    int status;
    if (!options_begin(&explain_table, argc, argv, NULL, &status)) {
        return status;
    }
    const struct rule_text *rule = id != NULL ? rule_text_find(id) : NULL;
    if (id != NULL && rule == NULL) {
        return unknown_rule(id);
    }
    if (rule != NULL) {
        print_rule(rule);
    } else {
        print_list();
    }
    return STATUS_OK;
}
