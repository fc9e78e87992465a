// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

/*
 * One function a command, in the file of its name. It gets the arguments after the command's name,
 * and returns the exit status.
 */

int serve_command(int argc, char **argv);
int review_command(int argc, char **argv);
int audit_command(int argc, char **argv);
int explain_command(int argc, char **argv);
int doctor_command(int argc, char **argv);
int certs_command(int argc, char **argv);

#endif
