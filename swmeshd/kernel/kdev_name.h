/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of tunnel devices: "sw" and a number, the lowest that is free. What
 * other programs' devices are called is not looked up: the kernel refuses a
 * name that is taken, and the number is passed over from then on.
 */
#ifndef SWMESH_KDEV_NAME_H
#define SWMESH_KDEV_NAME_H

#include <stddef.h>

/* Numbers are 1 to this; more than the AFBRs' tunnels of any mesh. */
#define KDEV_NAME_MAX 65535

/* The lowest number that nobody is known to use; 0: there is none. */
unsigned int kdev_name_choose(void);
/* Into buf, of at least IFNAMSIZ octets; returns buf. */
const char *kdev_name_text(unsigned int n, char *buf, size_t len);
/* The number of a name; 0 if it is not of that form. */
unsigned int kdev_name_number(const char *name);

/* n may be 0: nothing happens. */
void kdev_name_take(unsigned int n);
void kdev_name_release(unsigned int n);
/* A device of another program has it. It is tried again when no other number
 * is left. */
void kdev_name_foreign(unsigned int n);

#endif /* SWMESH_KDEV_NAME_H */
