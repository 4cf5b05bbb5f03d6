/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's tunnel headers beside the C library's: zebra.h brings struct
 * iphdr and ip6_hdr from netinet/, so linux/ip.h, which has them too, is kept
 * out. Of linux/ip.h only one number is needed.
 */
#ifndef SWMESH_UAPI_H
#define SWMESH_UAPI_H

#define _LINUX_IP_H
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>

/* Index of rp_filter in IFLA_INET_CONF. */
#define IPV4_DEVCONF_RP_FILTER 8

#endif /* SWMESH_UAPI_H */
