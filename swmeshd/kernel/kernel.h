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

#include "swmeshd/model/model.h"
#include "swmeshd/kernel/tun.h"

#define SWMESH_ALIAS "swmesh:"
/* "SWM": the group of a device that has no alias yet ("ip link show group"). */
#define SWMESH_GROUP 0x53574d

struct kdev_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tx_errors;
};

bool swmesh_kernel_init(void);
void swmesh_kernel_stop(void);

/* The grace time is over: remove what nobody has asked for. */
void swmesh_kernel_sweep(void);

/* Whether this is a device of ours. */
bool swmesh_kernel_owns(int ifindex);

/* Whether a device of ours is there, or being made, that sends tunnels of this
 * type from this address. */
bool swmesh_kernel_any_device(const struct ipaddr *local, uint16_t type);

/* struct mesh_ops */
bool swmesh_kernel_device_set(struct softwire *sw);
void swmesh_kernel_device_release(struct softwire *sw);
bool swmesh_kernel_route_set(struct demand *demand, struct softwire *sw);
void swmesh_kernel_route_release(struct demand *demand);
void swmesh_kernel_config_changed(struct mesh *mesh);

/* ---- for "show" ---- */

/* "" and 0 if it has none. */
const char *swmesh_kernel_device_name(const struct softwire *sw);
int swmesh_kernel_device_ifindex(const struct softwire *sw);
uint32_t swmesh_kernel_device_mtu(const struct softwire *sw);
/* Read the counters of all devices; then each softwire's. */
void swmesh_kernel_read_stats(void);
const struct kdev_stats *swmesh_kernel_stats(const struct softwire *sw);
/* Devices and routes that are there and that the model does not ask for. */
void swmesh_kernel_leftovers(unsigned int *devices, unsigned int *routes);

/* ---- between kernel/kernel.c and kernel/kroute.c ---- */

void kroute_init(void);
void kroute_stop(void);
void kroute_notification(const struct nlmsghdr *nlh);
/* Before and after a dump of the routes. */
void kroute_mark(void);
void kroute_unmarked(void);
/* The device went, and its routes with it. */
void kroute_device_gone(int ifindex);
/* Correct what notifications have shown. False: there is more to do. */
bool kroute_idle(void);
void kroute_sweep(void);
unsigned int kroute_leftovers(void);
void kroute_prefix(const struct prefix_ipv6 *prefix);

#endif /* SWMESH_KERNEL_H */
