// SPDX-License-Identifier: Apache-2.0
#ifndef APP_DOCTOR_DOCTOR_TOOLS_H
#define APP_DOCTOR_DOCTOR_TOOLS_H

/*
 * What the checks of core/doctor need of other floors: certificates and YAML.
 */

#include "core/doctor/checkup.h"

extern const struct checkup_tools doctor_tools;

#endif
