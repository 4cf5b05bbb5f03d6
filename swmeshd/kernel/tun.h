/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's tunnel devices: one table, tunnel type x family of the core ->
 * kind of device and how its attributes are written and read.
 */
#ifndef SWMESH_TUNNEL_H
#define SWMESH_TUNNEL_H

#include <libmnl/libmnl.h>

#include "swmeshd/model/encap_set.h"

/* Explicit, so that neither the inner TTL nor a default decides how far an
 * outer packet goes (F5). */
#define TUNNEL_HOP_LIMIT 64

/* Largest MTU that a tunnel device may have, before the path is known. */
#define TUNNEL_MTU_DEFAULT 1280

struct tun_params {
	struct ipaddr local, remote;
	struct sw_tunnel tunnel; /* type, and for GRE the key received with */
	bool has_okey;
	uint32_t okey; /* GRE key sent with */
	/* GRE over IPv4: outer packets may be fragmented (no DF of their own).
	 */
	bool fragment;
	uint32_t mtu;
};

struct tun_kind;

/* NULL: no such tunnel. */
const struct tun_kind *tun_kind_find(uint16_t type, int family);
/* All of them: the one after prev, the first for NULL; NULL at the end. */
const struct tun_kind *tun_kind_next(const struct tun_kind *prev);
const char *tun_kind_name(const struct tun_kind *kind);
/* Whether tun_params.fragment makes a difference over IPv4. */
bool tun_has_df(uint16_t type);

/* Append IFLA_LINKINFO. */
void tun_put(struct nlmsghdr *nlh, const struct tun_params *params);

/*
 * Read IFLA_LINKINFO. False if it is no device that we would make (its kind,
 * or no fixed endpoints). *exact: whether everything that is not in
 * tun_params is as tun_put() has it.
 */
bool tun_get(const struct nlattr *linkinfo, struct tun_params *params,
	     bool *exact);

#endif /* SWMESH_TUNNEL_H */
