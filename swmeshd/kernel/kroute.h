/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SW-NHOP routes in the kernel, and the prefix's. */
#ifndef SWMESH_KROUTE_H
#define SWMESH_KROUTE_H

#include <linux/netlink.h>

#include "swmeshd/model/model.h"

/* struct mesh_ops */
bool swmesh_kernel_route_set(struct demand *demand, struct softwire *sw);
void swmesh_kernel_route_release(struct demand *demand);

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

#endif /* SWMESH_KROUTE_H */
