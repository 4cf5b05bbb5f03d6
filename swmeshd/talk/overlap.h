/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of this router inside the SW-NHOP prefix, where nothing else may
 * be: a SW-NHOP may be the address of a neighbor there. */
#ifndef SWMESH_OVERLAP_H
#define SWMESH_OVERLAP_H

#include "prefix.h"

struct connected;

#define OVERLAP_TEXT_LEN (PREFIX2STR_BUFFER + 32)

/*
 * An interface whose connected prefix overlaps this one, as zebra has told
 * them: "2001:db8::1/64 on eth0". buf is returned; empty: there is none.
 */
const char *swmesh_overlap_find(const struct prefix *prefix, char *buf,
				size_t len);
/* The same for the SW-NHOP prefix of the configured mesh. */
const char *swmesh_overlap_now(char *buf, size_t len);
/* Log if this address, which has just come, overlaps it. */
void swmesh_overlap_warn(const struct connected *c);
/* Log if any does: the prefix has just come. */
void swmesh_overlap_warn_all(void);

#endif /* SWMESH_OVERLAP_H */
