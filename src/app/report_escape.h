// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_ESCAPE_H
#define APP_REPORT_ESCAPE_H

/*
 * Foreign text, such as names and paths, in the languages of the forms. Whatever the bytes are,
 * what is added is valid UTF-8 and has no say in the language or on a terminal: bytes that are not
 * UTF-8 become U+FFFD, and control characters, those that turn the direction of writing included,
 * a question mark, unless the language has a way to write them. Tabs stay.
 */

#include "base/buffer.h"

/* One line: a line break is a control character here. */
void report_escape_line(struct buffer *out, const char *text);

/* What stands behind the `::` of a workflow command of GitHub, and the value of a property before
   it. */
void report_escape_github_data(struct buffer *out, const char *text);
void report_escape_github_property(struct buffer *out, const char *text);

/* XML 1.0: in an attribute, and between tags, where line breaks stay. */
void report_escape_xml_attribute(struct buffer *out, const char *text);
void report_escape_xml_text(struct buffer *out, const char *text);

/* A path as a URI reference (RFC 3986): percent-encoded, absolute ones with file:// before. */
void report_escape_uri(struct buffer *out, const char *path);

/* Without "./" in front, which says nothing and which tools that match paths stumble on. */
const char *report_escape_plain_path(const char *path);

#endif
