/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel backend: what the model wants against what the kernel has.
 *
 * Devices (kernel/kernel.c) and routes (kernel/kroute.c) are read when swmeshd
 * starts and followed by notifications. What carries our mark, the alias
 * "swmesh:ENDPOINT:TUNNEL", the device group or the route protocol number 201,
 * is ours, from whatever run: it is adopted when the model asks for it, changed
 * in place when it differs, and removed when the grace time after the first
 * full state from bgpd is over and nobody asked (design 7). Stopping swmeshd
 * touches nothing.
 */
#ifndef SWMESH_KERNEL_H
#define SWMESH_KERNEL_H

#include "swmeshd/kernel/kdev.h"
#include "swmeshd/model/model.h"

bool swmesh_kernel_init(void);
void swmesh_kernel_stop(void);

/* The grace time is over: remove what nobody has asked for. */
void swmesh_kernel_sweep(void);

/* Whether a device of ours is there, or being made, that sends tunnels of this
 * type from this address. */
bool swmesh_kernel_any_device(const struct ipaddr *local, uint16_t type);

/* struct mesh_ops */
void swmesh_kernel_config_changed(struct mesh *mesh);

/* ---- for "show" ---- */

/* Read the counters of all devices; then each softwire's. */
void swmesh_kernel_read_stats(void);
const struct kdev_stats *swmesh_kernel_stats(const struct softwire *sw);
/* Devices and routes that are there and that the model does not ask for. */
void swmesh_kernel_leftovers(unsigned int *devices, unsigned int *routes);

#endif /* SWMESH_KERNEL_H */
