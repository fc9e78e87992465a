// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_ESCAPE_H
#define APP_REPORT_ESCAPE_H

/*
 * Escapes foreign text, such as names and paths, for the forms of a report. Whatever the bytes are,
 * the result is valid UTF-8 and means nothing to the form's language or to a terminal. Bytes that
 * are not UTF-8 become U+FFFD. Control characters, and those that turn the direction of writing,
 * become a question mark, unless the language can write them. Tabs stay.
 */

#include "base/buffer.h"

/* For one line: a line break becomes a question mark too. */
void report_escape_line(struct buffer *out, const char *text);

/* For workflow commands of GitHub: the text behind `::`, and the value of a property before it. */
void report_escape_github_data(struct buffer *out, const char *text);
void report_escape_github_property(struct buffer *out, const char *text);

/* For XML 1.0: an attribute, and text between tags, where line breaks stay. */
void report_escape_xml_attribute(struct buffer *out, const char *text);
void report_escape_xml_text(struct buffer *out, const char *text);

/* Writes a path as a URI reference (RFC 3986): percent-encoded; an absolute path gets file://. */
void report_escape_uri(struct buffer *out, const char *path);

/* Skips "./" in front, which means nothing and confuses tools that match paths. */
const char *report_escape_plain_path(const char *path);

#endif
