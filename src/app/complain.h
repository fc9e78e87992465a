// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMPLAIN_H
#define APP_COMPLAIN_H

/* Prints "capstan: " and the text on standard error, as one line. Escapes control characters, since
   the text may quote a user or a file. */
void complain(const char *text);

#endif
