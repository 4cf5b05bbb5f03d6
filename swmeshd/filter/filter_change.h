/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements, added and deleted by netlink. */
#ifndef SWMESH_FILTER_CHANGE_H
#define SWMESH_FILTER_CHANGE_H

#include "swmeshd/filter/filter_element.h"

/* All elements of a change are in one transaction: so many would not fit into
 * the socket's buffer, or, of one set, into an attribute. */
#define FILTER_CHANGE_MAX 1024u

/* Begin a change, and put elements into it that are to be added or deleted:
 * FILTER_CHANGE_MAX at most, those of one set and kind together. */
void filter_change_begin(void);
void filter_change_put(bool add, const struct filter_element *e, int family);
/* Carry it out, all of it or nothing. There must be something in it. */
bool filter_change_commit(char *err, size_t len);
/* Have the socket for it. False: with errno. */
bool filter_change_open(void);
/* By which the kernel tells others of our changes; 0: none yet. */
uint32_t filter_change_port(void);
void filter_change_stop(void);

#endif /* SWMESH_FILTER_CHANGE_H */
