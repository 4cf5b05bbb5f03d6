/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's IPsec (NETLINK_XFRM, libmnl): the drop policies that make
 * protected softwires fail closed (S9, design 6), and what SAs there are.
 *
 * A drop policy is for our endpoint and an encapsulation protocol, towards and
 * from everybody, at the lowest priority: the policies that charon installs
 * for one pair of addresses take precedence for as long as they are there. It
 * depends on no other process, survives ours, and is recognised as ours by its
 * priority when we start again.
 */
#ifndef SWMESH_XFRM_H
#define SWMESH_XFRM_H

#include "swmeshd/xfrm/xfrm_types.h"

struct xfrm_ops {
	/*
	 * SAs or policies of this pair came or went, whoever did it. Called
	 * from the event loop once for each pair and burst of messages, for
	 * pairs that have, or in this burst had, a policy: which end is ours
	 * is known from that.
	 */
	void (*changed)(const struct ipaddr *local,
			const struct ipaddr *remote);
	/* Policies towards or from everybody came or went, or all were read
	 * anew. */
	void (*policies_changed)(void);
};

/* Before the event loop begins. False, with a log
 * message, if the kernel has no IPsec for us; it is tried again when a guard is
 * asked for. */
bool swmesh_xfrm_init(const struct xfrm_ops *ops);
/* Drop policies stay. */
void swmesh_xfrm_stop(void);

/*
 * From what was read at the start and followed by notifications: no system
 * call. True if the pair is protected both ways for this upper-layer protocol:
 * of the policies that cover it, the one that the kernel takes has a template,
 * and there is an SA for it (larval ones do not count, they carry nothing).
 * Ports: host byte order, 0 for any; for TCP 179 at one end (S11).
 */
bool swmesh_xfrm_child(const struct ipaddr *local, const struct ipaddr *remote,
		       uint8_t protocol, uint16_t local_port,
		       uint16_t remote_port, struct xfrm_child *out);

/*
 * True if that ESP or AH SA (IPPROTO_ESP or IPPROTO_AH, SPI in host byte order)
 * protects what we send to the remote address with this upper-layer protocol.
 * No system call.
 */
bool swmesh_xfrm_sends(const struct ipaddr *local, const struct ipaddr *remote,
		       uint8_t protocol, uint8_t sa_protocol, uint32_t spi);

/* SAs of the pair, both ways, with counters read now; the number, at most cap.
 */
unsigned int swmesh_xfrm_sas(const struct ipaddr *local,
			     const struct ipaddr *remote, struct xfrm_sa *sas,
			     unsigned int cap);
/* Packets that SAs of a pair have carried, and refused: replayed, too old for
 * the window, or forged. */
struct xfrm_traffic {
	uint64_t in, out, refused;
};
struct xfrm_traffic swmesh_xfrm_traffic(const struct ipaddr *local,
					const struct xfrm_sa *sas,
					unsigned int n);
/* Read the counters of all SAs, for the calls of swmesh_xfrm_sas() to come. */
void swmesh_xfrm_read_stats(void);

/*
 * Delete the pair's SAs whose inbound or outbound SPI is not named: what a
 * charon that died left behind. Returns how many.
 */
unsigned int swmesh_xfrm_purge(const struct ipaddr *local,
			       const struct ipaddr *remote,
			       const uint32_t *keep, unsigned int n_keep);

/* Delete the pair's policies with this request ID. Returns how many. */
unsigned int swmesh_xfrm_purge_policies(const struct ipaddr *local,
					const struct ipaddr *remote,
					uint32_t reqid);

/* Pairs that have an SA or a policy with a request ID that take() wants; the
 * number, at most cap. */
unsigned int swmesh_xfrm_pairs(bool (*take)(const struct ipaddr *local,
					    const struct ipaddr *remote,
					    uint32_t reqid),
			       struct xfrm_pair *pairs, unsigned int cap);

/* Packets that xfrm dropped, from /proc/net/xfrm_stat; by name. */
uint64_t swmesh_xfrm_stat(const char *name);

#endif /* SWMESH_XFRM_H */
