/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tunnel device: what it is to be, what it is, and the requests that make the
 * one the other. Between kernel/kdev.c and kernel/kernel.c, which tells it what
 * the kernel says.
 */
#ifndef SWMESH_KDEV_H
#define SWMESH_KDEV_H

#include <net/if.h>

#include "typesafe.h"

#include "swmeshd/kernel/tun.h"
#include "swmeshd/model/model.h"

#define SWMESH_ALIAS "swmesh:"
/* "SWM": the group of a device that has no alias yet ("ip link show group"). */
#define SWMESH_GROUP 0x53574d

struct kdev_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tx_errors;
};

/* Routes that use it are given the time to go first. */
#define KDEV_RELEASE_S 3

PREDECL_HASH(kdev_keys);
PREDECL_HASH(kdev_ifindexes);
PREDECL_DLIST(kdev_check);
struct kdev {
	struct kdev_keys_item key_item;
	struct ipaddr remote;
	struct sw_tunnel tunnel;
	char name[IFNAMSIZ];
	unsigned int n; /* of the name, 0: it has another one */

	struct softwire *sw;	/* NULL: nobody asks for it */
	struct tun_params want; /* with sw */
	unsigned int attempts;
	struct thread *t_release;

	struct kdev_ifindexes_item ifindex_item;
	int ifindex; /* 0: not in the kernel */
	bool up;
	bool exact; /* hop limit, flags and the like are ours */
	bool alias_set;
	/* Someone set it down. The kernel took its routes away; zebra, when the
	 * device is soon up again, neither puts them back nor tells bgpd. So it
	 * is made anew, with another ifindex, which all of them notice. */
	bool fell;
	struct tun_params have;
	bool asked;  /* a request is under way */
	bool marked; /* not seen in the dump under way */
	struct kdev_stats stats;

	struct kdev_check_item check_item;
	bool checking;
};

int kdev_key_cmp(const struct kdev *a, const struct kdev *b);
uint32_t kdev_key_hash(const struct kdev *d);
DECLARE_HASH(kdev_keys, struct kdev, key_item, kdev_key_cmp, kdev_key_hash);
int kdev_ifindex_cmp(const struct kdev *a, const struct kdev *b);
uint32_t kdev_ifindex_hash(const struct kdev *d);
DECLARE_HASH(kdev_ifindexes, struct kdev, ifindex_item, kdev_ifindex_cmp,
	     kdev_ifindex_hash);
DECLARE_DLIST(kdev_check, struct kdev, check_item);

/* Whether this is a device of ours. */
bool swmesh_kernel_owns(int ifindex);

/* struct mesh_ops */
bool swmesh_kernel_device_set(struct softwire *sw);
void swmesh_kernel_device_release(struct softwire *sw);

/* All of them, for reading. */
extern struct kdev_keys_head kdevs;

void kdev_init(void);
void kdev_stop(void);

struct kdev *kdev_find(const struct ipaddr *remote,
		       const struct sw_tunnel *tunnel);
struct kdev *kdev_new(const struct ipaddr *remote,
		      const struct sw_tunnel *tunnel);
struct kdev *kdev_by_ifindex(int ifindex);

/*
 * The kernel refuses a route by a device on which IPv6 is switched off, as all
 * new ones are where net.ipv6.conf.default.disable_ipv6 is set.  On a device of
 * ours it is switched on.  True: it was off, and the route can be tried again.
 */
bool kdev_allow_ipv6(int ifindex);

/* It has this index now; 0: it is gone. kernel/kernel.c tells the routes. */
void kdev_set_ifindex(struct kdev *d, int ifindex);
void kdev_set_name(struct kdev *d, const char *name);
/* After any of it: tell its softwire. */
void kdev_tell(const struct kdev *d);
/* The name is free; the next device may have it. */
void kdev_release_name(struct kdev *d);

/* What its alias has to be: the owner, the peer and the tunnel. */
#define KDEV_ALIAS_LEN 128
const char *kdev_alias(const struct kdev *d, char buf[KDEV_ALIAS_LEN]);

/* Look at it when all notifications have been read, which is when
 * kdev_run_checks() is called. False: there is more to do. */
void kdev_check_later(struct kdev *d);
bool kdev_run_checks(void);

/* Nobody asks for it: remove it before long. */
void kdev_remove_later(struct kdev *d);

#endif /* SWMESH_KDEV_H */
