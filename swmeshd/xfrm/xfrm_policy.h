/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between xfrm/xfrm.c, which talks to the kernel, and those who make
 * policies: guard/guard_policy.c, guard/guard_bgp.c and ike/ike_pin.c. */
#ifndef SWMESH_XFRM_PRIV_H
#define SWMESH_XFRM_PRIV_H

#include <libmnl/libmnl.h>
#include <linux/xfrm.h>

/* Of the messages we make; the longest is a policy. */
#define XFRM_MESSAGE_MAX 1024
/* They have 64-bit members behind a header of 16 octets. */
#define XFRM_ALIGNED __attribute__((aligned(8)))

/* Open the sockets and read everything, unless that is done. */
bool xfrm_open(char *err, size_t len);

/* A request in buf, whose header has type and flags; sent by xfrm_ask(), which
 * returns 0 or an errno when the kernel has done it. */
struct nlmsghdr *xfrm_request(uint8_t buf[XFRM_MESSAGE_MAX], uint16_t type,
			      uint16_t flags);
int xfrm_ask(struct nlmsghdr *nlh);
/* The same for a dump: `each` for every message of it. */
int xfrm_list(struct nlmsghdr *nlh, mnl_cb_t each, void *arg);

/* Have what the selector covers dropped, for good. update: also in place of a
 * policy with this selector, EEXIST otherwise. Both return what xfrm_ask()
 * does.
 */
int xfrm_put_drop(const struct xfrm_selector *sel, uint8_t dir,
		  uint32_t priority, bool update);
/* By its index, or if that is 0 by its selector. */
int xfrm_del_policy(const struct xfrm_userpolicy_id *id);

/* Read the notifications that are there already. */
void xfrm_drain(void);

#endif /* SWMESH_XFRM_PRIV_H */
