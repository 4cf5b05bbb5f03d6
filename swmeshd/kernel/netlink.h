/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink on the event loop.
 *
 * Requests are queued in units and sent many at a time; the kernel's answers
 * are matched to them by sequence number. Notifications come by a socket of
 * their own, so that an overrun there loses no answer.
 */
#ifndef SWMESH_NETLINK_H
#define SWMESH_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>

/* Routing protocol number of our routes in the kernel. */
#define SWMESH_RTPROT 201

/*
 * How a unit ended. err: 0 or an errno of the first message that failed; text:
 * what the kernel said about it, may be empty, valid for the call only.
 */
typedef void (*nl_done)(void *arg, int err, const char *text);

struct nl_ops {
	/* A notification, from a dump or from the kernel by itself. */
	void (*link)(const struct nlmsghdr *nlh);
	void (*route)(const struct nlmsghdr *nlh);
	/* Notifications or answers were lost: dump again. */
	void (*overrun)(void);
	/* All that was there to read has been delivered. False: call it again
	 * soon, its slice of time is over. */
	bool (*idle)(void);
};

struct nl_stats {
	uint64_t requests, batches, errors, overruns;
};

/* False, with a log message, if there is no talking to the kernel. */
bool nl_init(const struct nl_ops *ops);
void nl_stop(void);
const struct nl_stats *nl_stats(void);

/*
 * Queue a unit of one or more messages that are sent, and so carried out,
 * together:
 *
 *	nl_unit_begin(done, arg);
 *	nlh = nl_unit_message(RTM_NEWLINK, NLM_F_CREATE);
 *	mnl_attr_put...(nlh, ...);
 *	nl_unit_end();
 *
 * A message takes at most NL_MESSAGE_MAX octets; done() may queue more.
 */
#define NL_MESSAGE_MAX 1024
void nl_unit_begin(nl_done done, void *arg);
struct nlmsghdr *nl_unit_message(uint16_t type, uint16_t flags);
void nl_unit_end(void);
/*
 * The same, but wait a moment for more of the kind: when a thousand AFBRs come
 * at once, their devices are made in one go, and before the first route is
 * there. Each device that comes up makes the kernel walk its IPv6 routes, and
 * zebra its own; ip(8) users make devices first for no other reason.
 */
void nl_unit_end_unhurried(void);
/* Forget whom to tell; what is under way is still carried out. */
void nl_forget(void *arg);

/* Read the notifications that are already there, for a slice of time. */
void nl_drain(void);

#endif /* SWMESH_NETLINK_H */
