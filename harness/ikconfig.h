/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ikconfig.h: the configuration that a kernel carries (CONFIG_IKCONFIG=y).
 */
#ifndef HARNESS_IKCONFIG_H
#define HARNESS_IKCONFIG_H

/*
 * The text of its .config; NULL: it has none, or the program that unpacks it
 * is not there. Free with g_free().
 */
char *ikconfig_of_image(const char *bzimage);

#endif
