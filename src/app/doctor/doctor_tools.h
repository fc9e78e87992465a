// SPDX-License-Identifier: Apache-2.0
#ifndef APP_DOCTOR_DOCTOR_TOOLS_H
#define APP_DOCTOR_DOCTOR_TOOLS_H

/*
 * Functions of other floors for the checks of core/doctor: certificates and YAML.
 */

#include "core/doctor/checkup.h"

extern const struct checkup_tools doctor_tools;

#endif
