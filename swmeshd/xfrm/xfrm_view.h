/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's SAs and policies are, built from its messages: dumps and
 * notifications alike. No I/O. xfrm/xfrm.c reads the messages, and
 * guard/guard_policy.c looks for its drop policies in it.
 *
 * SAs and policies between two hosts are kept by pair of addresses, policies
 * for more than that in one list. What does not concern packets of ours is not
 * kept: forwarding, marks, xfrm interfaces, sub-policies, larval SAs.
 */
#ifndef SWMESH_XFRM_VIEW_H
#define SWMESH_XFRM_VIEW_H

#include <libmnl/libmnl.h>
#include <linux/xfrm.h>

#include "typesafe.h"

#include "swmeshd/xfrm/xfrm_types.h"

/* An SA: of the kernel's, host byte order for the SPI. */
PREDECL_DLIST(view_sas);
struct view_sa {
	struct view_sas_item item;
	struct xfrm_sa sa;
	struct xfrm_selector sel; /* family 0: any */
	uint8_t mode;
	bool marked; /* not seen in the dump under way */
};
DECLARE_DLIST(view_sas, struct view_sa, item);

/* What a policy asks for, of which optional templates are no part. */
struct view_tmpl {
	uint8_t protocol, mode;
	uint32_t spi, reqid; /* 0: any, for packets that come in */
};

#define VIEW_TMPLS_MAX 2

PREDECL_DLIST(view_policies);
struct view_policy {
	struct view_policies_item item;
	struct view_pair *pair; /* NULL: not between two hosts */
	struct xfrm_selector sel;
	uint32_t priority, index;
	uint8_t dir;	/* XFRM_POLICY_IN or _OUT */
	uint8_t action; /* XFRM_POLICY_ALLOW or _BLOCK */
	/* More than fit: `n` is too large, and nothing is said of them. */
	unsigned int n;
	struct view_tmpl tmpl[VIEW_TMPLS_MAX];
	bool marked;
};
DECLARE_DLIST(view_policies, struct view_policy, item);

struct view_ops {
	/* Something of this pair came, went or became another. */
	void (*changed)(const struct ipaddr *local,
			const struct ipaddr *remote);
	/* A policy for more than a pair did. */
	void (*policies_changed)(void);
};

void view_init(const struct view_ops *ops);
void view_fini(void);

enum view_result {
	VIEW_OK,
	VIEW_READ_ANEW, /* it says that much went, not what: dump */
};

/* A message of a dump or a notification; what makes no sense is ignored. */
enum view_result view_message(const struct nlmsghdr *nlh);
/* Around a dump of SAs (policies): what it did not name is gone. */
void view_mark(bool policies);
void view_unmarked(bool policies);
/* Tell of what has changed since the last call. */
void view_tell(void);

/* The policies that are not between two hosts. */
struct view_policies_head *view_wide_policies(void);
/* SAs and policies of the pair; NULL: it has neither. */
struct view_sas_head *view_pair_sas(const struct ipaddr *a,
				    const struct ipaddr *b);
struct view_policies_head *view_pair_policies(const struct ipaddr *a,
					      const struct ipaddr *b);

/* See swmesh_xfrm_pairs(). */
unsigned int view_pairs_with(bool (*take)(const struct ipaddr *local,
					  const struct ipaddr *remote,
					  uint32_t reqid),
			     struct xfrm_pair *found, unsigned int cap);

/* xfrm/xfrm_flow.c; see swmesh_xfrm_child(). */
bool view_child(const struct ipaddr *local, const struct ipaddr *remote,
		uint8_t protocol, uint16_t local_port, uint16_t remote_port,
		struct xfrm_child *out);

/* The kernel's form of an address, and back (family AF_INET or AF_INET6). */
uint16_t view_put_address(const struct ipaddr *addr, xfrm_address_t *out);
void view_get_address(uint16_t family, const xfrm_address_t *in,
		      struct ipaddr *addr);

#endif /* SWMESH_XFRM_VIEW_H */
