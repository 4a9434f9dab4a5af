/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cut.h: the power cut.
 */
#ifndef CUT_H
#define CUT_H

#include "proto.h"

/* Serves "cut POLICY". Returns only when there was no cut. */
void cut_serve(struct proto *proto, const char *policy);

#endif
