// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMPLAIN_H
#define APP_COMPLAIN_H

/* Prints "capstan: " and the text on standard error, as one line. The text may quote what a user or
   a file says, whose control characters get no further than here. */
void complain(const char *text);

#endif
