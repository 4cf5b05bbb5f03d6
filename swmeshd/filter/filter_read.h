/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the table holds, read by netlink. */
#ifndef SWMESH_FILTER_READ_H
#define SWMESH_FILTER_READ_H

#include "swmeshd/filter/filter_counters.h"

/* Have the sockets for it, of which it then needs no further ones. False: with
 * errno. */
bool filter_read_open(void);
void filter_read_stop(void);
/* Tell the elements of all sets, in slices: filter_elements_found() for each,
 * then filter_read_done(). Begins again if it is under way. */
void filter_read_begin(int family);
/* What is told from now on would be of another time: nothing is, no end either.
 */
void filter_read_cancel(void);
/* Called when all were told; err: why not, NULL if they were. */
extern void (*filter_read_done)(const char *err);
/* At once: four counters, whatever the table holds. */
bool filter_read_counters(struct filter_count counts[FILTER_COUNTERS],
			  char *err, size_t len);
/* The kernel certainly has no such table. */
bool filter_read_absent(void);

#endif /* SWMESH_FILTER_READ_H */
