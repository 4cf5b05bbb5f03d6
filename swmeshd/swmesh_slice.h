/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that grows with the number of AFBRs is done in slices, so that timers,
 * vtysh and the other sockets get their turn between them.
 *
 *	monotime(&began);
 *	while (more) {
 *		if (slice_over(&began))
 *			... schedule the rest, and return
 */
#ifndef SWMESH_SLICE_H
#define SWMESH_SLICE_H

#include <stdbool.h>

#include "monotime.h"

#define SLICE_MS 10

static inline bool slice_over(const struct timeval *began)
{
	return monotime_since(began, NULL) >= SLICE_MS * 1000;
}

#endif /* SWMESH_SLICE_H */
