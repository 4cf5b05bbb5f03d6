/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of this router inside the SW-NHOP prefix, where nothing else may
 * be: a SW-NHOP may be the address of a neighbor there. */
#ifndef SWMESH_OVERLAP_H
#define SWMESH_OVERLAP_H

#include "prefix.h"

struct connected;

/* struct mesh_ops; by what zebra has told. */
const char *swmesh_overlap_find(const struct prefix *prefix, char *buf,
				size_t len);
/* The same for the SW-NHOP prefix of the configured mesh. */
const char *swmesh_overlap_now(char *buf, size_t len);
/* Log if this address, which has just come, overlaps it. */
void swmesh_overlap_warn(const struct connected *c);
/* Log if any does with the mesh's prefix, which is another one than before. */
void swmesh_overlap_config_changed(void);

#endif /* SWMESH_OVERLAP_H */
