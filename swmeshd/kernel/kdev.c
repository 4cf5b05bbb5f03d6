// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tunnel devices in the kernel; see kernel/kernel.h.
 *
 * A device is told by (endpoint, tunnel we announced), as the kernel tells
 * them; the alias says that it is ours, and for people what it is. It is made
 * in two steps: create it with endpoints, keys and our group; then, by the
 * index that a notification has told, alias, address generation and
 * reverse-path filter, and up. Never by its name: were that taken by another
 * program's device meanwhile, that one would be changed. The group is what
 * shows whose it is between the two steps, to a later run as well.
 *
 * On the device: no IPv6 link-local address (addrgenmode none), it would only
 * clutter; rp_filter off, since a peer that prefers another tunnel than we do
 * sends by a device that our routes do not point at. Loose mode would not do:
 * on a device without an IPv4 address it drops such packets like strict mode
 * (fib_validate_source()). The kernel takes the larger one of this and
 * net.ipv4.conf.all.rp_filter, which is the operator's.
 */
#include <zebra.h>

#include <fcntl.h>

#include "jhash.h"
#include "memory.h"
#include "privs.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/kernel/kdev.h"
#include "swmeshd/kernel/kdev_name.h"
#include "swmeshd/kernel/netlink.h"
#include "swmeshd/swmesh_slice.h"
#include "swmeshd/kernel/uapi.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, KDEV, "Tunnel device");

/* Changes in vain before the device counts as failing. */
#define ATTEMPTS_MAX 3
#define RP_FILTER_OFF 0
/* The kernel has no way but this one to set it. */
#define IPV6_SWITCH "/proc/sys/net/ipv6/conf/%s/disable_ipv6"

struct kdev_keys_head kdevs;
static struct kdev_ifindexes_head by_ifindex;
static struct kdev_check_head checks;

int kdev_key_cmp(const struct kdev *a, const struct kdev *b)
{
	int diff = ipaddr_cmp(&a->remote, &b->remote);

	if (!diff)
		diff = numcmp(a->tunnel.type, b->tunnel.type);
	if (!diff)
		diff = numcmp(a->tunnel.has_key, b->tunnel.has_key);
	return diff ? diff : numcmp(a->tunnel.key, b->tunnel.key);
}

uint32_t kdev_key_hash(const struct kdev *d)
{
	return jhash(&d->remote.ip, IS_IPADDR_V4(&d->remote) ? 4 : 16,
		     jhash_3words(d->tunnel.type, d->tunnel.has_key,
				  d->tunnel.key, 0x53574d4b));
}

int kdev_ifindex_cmp(const struct kdev *a, const struct kdev *b)
{
	return numcmp(a->ifindex, b->ifindex);
}

uint32_t kdev_ifindex_hash(const struct kdev *d)
{
	return jhash_1word(d->ifindex, 0x53574d49);
}

/* ---- names ---- */

void kdev_release_name(struct kdev *d)
{
	kdev_name_release(d->n);
	d->n = 0;
}

void kdev_tell(const struct kdev *d)
{
	struct softwire_device dev = {};

	if (!d->sw)
		return;
	if (d->ifindex) {
		dev.ifindex = d->ifindex;
		strlcpy(dev.name, d->name, sizeof(dev.name));
		dev.mtu = d->have.mtu;
	}
	softwire_device(d->sw, &dev);
}

void kdev_set_name(struct kdev *d, const char *name)
{
	kdev_release_name(d);
	strlcpy(d->name, name, sizeof(d->name));
	d->n = kdev_name_number(name);
	kdev_name_take(d->n);
}

/* ---- objects ---- */

struct kdev *kdev_find(const struct ipaddr *remote,
		       const struct sw_tunnel *tunnel)
{
	struct kdev ref = {};

	ref.remote = *remote;
	ref.tunnel = *tunnel;
	return kdev_keys_find(&kdevs, &ref);
}

struct kdev *kdev_new(const struct ipaddr *remote,
		      const struct sw_tunnel *tunnel)
{
	struct kdev *d = XCALLOC(MTYPE_KDEV, sizeof(*d));

	d->remote = *remote;
	d->tunnel = *tunnel;
	kdev_keys_add(&kdevs, d);
	return d;
}

struct kdev *kdev_by_ifindex(int ifindex)
{
	struct kdev ref = {.ifindex = ifindex};

	return ifindex ? kdev_ifindexes_find(&by_ifindex, &ref) : NULL;
}

void kdev_set_ifindex(struct kdev *d, int ifindex)
{
	if (d->ifindex == ifindex)
		return;
	if (d->ifindex)
		kdev_ifindexes_del(&by_ifindex, d);
	d->ifindex = ifindex;
	if (ifindex)
		kdev_ifindexes_add(&by_ifindex, d);
	else
		d->up = d->fell = false;
}

static void kdev_free(struct kdev *d)
{
	kdev_set_ifindex(d, 0);
	kdev_release_name(d);
	THREAD_OFF(d->t_release);
	if (d->checking)
		kdev_check_del(&checks, d);
	nl_forget(d);
	kdev_keys_del(&kdevs, d);
	XFREE(MTYPE_KDEV, d);
}

bool swmesh_kernel_owns(int ifindex)
{
	return kdev_by_ifindex(ifindex) != NULL;
}

bool kdev_allow_ipv6(int ifindex)
{
	const struct kdev *d = kdev_by_ifindex(ifindex);
	char path[sizeof(IPV6_SWITCH) + IFNAMSIZ];
	bool was_off = false;
	char value;
	int fd;

	if (!d)
		return false;
	snprintf(path, sizeof(path), IPV6_SWITCH, d->name);
	frr_with_privs (&swmesh_privs) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			break;
		was_off = read(fd, &value, 1) == 1 && value == '1' &&
			  pwrite(fd, "0", 1, 0) == 1;
		close(fd);
	}
	if (was_off)
		zlog_info_limited(
			d,
			"kernel: IPv6 was switched off on %s (disable_ipv6), so that no SW-NHOP could be there: switched on",
			d->name);
	return was_off;
}

/* Endpoints, keys and MTU are what is asked for. */
static bool tunnel_right(const struct kdev *d)
{
	return d->exact && !ipaddr_cmp(&d->have.local, &d->want.local) &&
	       !ipaddr_cmp(&d->have.remote, &d->want.remote) &&
	       sw_tunnel_same(&d->have.tunnel, &d->want.tunnel) &&
	       d->have.has_okey == d->want.has_okey &&
	       d->have.okey == d->want.okey &&
	       d->have.fragment == d->want.fragment &&
	       d->have.mtu == d->want.mtu;
}

static bool kdev_right(const struct kdev *d)
{
	return d->ifindex && d->up && !d->fell && d->alias_set &&
	       tunnel_right(d);
}

void kdev_check_later(struct kdev *d)
{
	if (d->checking)
		return;
	d->checking = true;
	kdev_check_add_tail(&checks, d);
}

/* "swmesh:2001:db8::2:gre/100" */
const char *kdev_alias(const struct kdev *d, char buf[KDEV_ALIAS_LEN])
{
	char tunnel[SW_TUNNEL_TEXT_LEN];

	snprintfrr(buf, KDEV_ALIAS_LEN, SWMESH_ALIAS "%pIA:%s", &d->remote,
		   sw_tunnel_text(d->tunnel.type, d->tunnel.has_key,
				  d->tunnel.key, tunnel, sizeof(tunnel)));
	return buf;
}

/* ---- requests ---- */

static const char *failure_text(const struct kdev *d, int err, const char *text,
				char *buf, size_t len)
{
	const struct tun_kind *kind = tun_kind_find(
		d->want.tunnel.type, ipaddr_family(&d->want.remote));

	switch (err) {
	case EOPNOTSUPP:
		snprintf(
			buf, len,
			"the kernel has no %s devices; install and load its module",
			tun_kind_name(kind));
		break;
	case EEXIST:
		snprintfrr(
			buf, len,
			"another device of this system has the same endpoints and key already; remove that device or announce another key");
		break;
	case EPERM:
		snprintf(
			buf, len,
			"the kernel does not permit it; start swmeshd with CAP_NET_ADMIN");
		break;
	default:
		snprintf(buf, len, "the kernel refused %s device %s: %s%s%s",
			 tun_kind_name(kind), d->name, strerror(err),
			 text[0] ? ": " : "", text);
		break;
	}
	return buf;
}

static void kdev_failed(struct kdev *d, const char *text)
{
	char tunnel[SW_TUNNEL_TEXT_LEN];

	d->attempts = 0;
	flog_err_limited(EC_SWMESH_DEVICE, d, "softwire to %pIA by %s: %s",
			 &d->remote,
			 sw_tunnel_text(d->tunnel.type, d->tunnel.has_key,
					d->tunnel.key, tunnel, sizeof(tunnel)),
			 text);
	if (d->sw)
		softwire_event(d->sw, SOFTWIRE_EV_DEVICE_FAILED, text);
}

static void set_done(void *arg, int err, const char *text)
{
	struct kdev *d = arg;
	char buf[MESH_REASON_LEN];

	d->asked = false;
	if (err == ENODEV) /* went meanwhile; we shall hear */
		err = 0;
	if (err && d->sw) {
		kdev_failed(d, failure_text(d, err, text, buf, sizeof(buf)));
		return;
	}
	kdev_check_later(d); /* when the notifications have been read */
}

/* EEXIST says that the name is taken, or that there is such a tunnel. */
static bool name_is_taken(const struct kdev *d)
{
	return if_nametoindex(d->name) != 0;
}

static void created(void *arg, int err, const char *text)
{
	struct kdev *d = arg;
	char buf[MESH_REASON_LEN];

	d->asked = false;
	if (!d->sw || !err) {
		d->attempts = 0;
		kdev_check_later(d); /* when the notifications have been read */
		return;
	}
	if (err == EEXIST && name_is_taken(d)) {
		DEBUGD(&swmesh_dbg_kernel, "kernel: the name %s is taken",
		       d->name);
		kdev_name_foreign(d->n);
		kdev_release_name(d);
		d->attempts = 0; /* the numbers are the bound */
		kdev_check_later(d);
		return;
	}
	failure_text(d, err, text, buf, sizeof(buf));
	kdev_release_name(d);
	kdev_failed(d, buf);
}

static void removed(void *arg, int err, const char *text)
{
	struct kdev *d = arg;

	d->asked = false;
	if (err && err != ENODEV)
		zlog_warn_limited(d, "kernel: device %s cannot be removed: %s",
				  d->name, strerror(err));
	kdev_check_later(d);
}

static struct ifinfomsg *link_message(const struct kdev *d, uint16_t type,
				      uint16_t flags, struct nlmsghdr **nlh)
{
	struct ifinfomsg *ifi;

	*nlh = nl_unit_message(type, flags);
	ifi = mnl_nlmsg_put_extra_header(*nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = d->ifindex;
	return ifi;
}

static void put_af_spec(struct nlmsghdr *nlh)
{
	struct nlattr *spec, *inet, *conf;

	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(nlh, AF_INET);
	conf = mnl_attr_nest_start(nlh, IFLA_INET_CONF);
	mnl_attr_put_u32(nlh, IPV4_DEVCONF_RP_FILTER, RP_FILTER_OFF);
	mnl_attr_nest_end(nlh, conf);
	mnl_attr_nest_end(nlh, inet);
	inet = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet);
	mnl_attr_nest_end(nlh, spec);
}


/* What can only be set on a device that exists; up comes in a message of its
 * own, as the kernel raises the flag before it looks at the rest. */
static void put_settings(const struct kdev *d)
{
	struct nlmsghdr *nlh;
	struct ifinfomsg *ifi;
	char alias[KDEV_ALIAS_LEN];

	link_message(d, RTM_NEWLINK, 0, &nlh);
	mnl_attr_put_strz(nlh, IFLA_IFALIAS, kdev_alias(d, alias));
	put_af_spec(nlh);

	ifi = link_message(d, RTM_NEWLINK, 0, &nlh);
	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
}

static bool has_name(struct kdev *d)
{
	char name[IFNAMSIZ];
	unsigned int n;

	if (d->n)
		return true;
	n = kdev_name_choose();
	if (n)
		kdev_set_name(d, kdev_name_text(n, name, sizeof(name)));
	return n != 0;
}

/* It is not up yet, and so takes no packet. */
static void create(struct kdev *d)
{
	struct nlmsghdr *nlh;

	DEBUGD(&swmesh_dbg_kernel, "kernel: create %s to %pIA", d->name,
	       &d->remote);
	nl_unit_begin(created, d);
	link_message(d, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &nlh);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, d->name);
	mnl_attr_put_u32(nlh, IFLA_MTU, d->want.mtu);
	mnl_attr_put_u32(nlh, IFLA_GROUP, SWMESH_GROUP);
	tun_put(nlh, &d->want);
	nl_unit_end_unhurried();
}

/* The second step of making it. */
static void complete(struct kdev *d)
{
	DEBUGD(&swmesh_dbg_kernel, "kernel: complete %s to %pIA", d->name,
	       &d->remote);
	nl_unit_begin(set_done, d);
	put_settings(d);
	nl_unit_end_unhurried();
}

/* In place: no packet is lost, and the routes stay. */
static void modify(struct kdev *d)
{
	struct nlmsghdr *nlh;

	DEBUGD(&swmesh_dbg_kernel, "kernel: change %s to %pIA", d->name,
	       &d->remote);
	nl_unit_begin(set_done, d);
	link_message(d, RTM_NEWLINK, 0, &nlh);
	mnl_attr_put_u32(nlh, IFLA_MTU, d->want.mtu);
	tun_put(nlh, &d->want);
	put_settings(d);
	nl_unit_end();
}

static void destroy(struct kdev *d)
{
	struct nlmsghdr *nlh;

	DEBUGD(&swmesh_dbg_kernel, "kernel: remove %s to %pIA", d->name,
	       &d->remote);
	nl_unit_begin(removed, d);
	link_message(d, RTM_DELLINK, 0, &nlh);
	nl_unit_end();
	d->asked = true;
}

static void kdev_reconcile(struct kdev *d)
{
	char text[MESH_REASON_LEN];

	if (d->asked || !d->sw || kdev_right(d))
		return;
	if (d->attempts++ == ATTEMPTS_MAX) {
		snprintf(text, sizeof(text),
			 "device %s does not become what is asked for",
			 d->name);
		kdev_failed(d, text);
		return;
	}
	if (!d->ifindex && !has_name(d)) {
		kdev_failed(
			d,
			"no name is left for its device: sw1 to sw65535 are in use");
		return;
	}
	d->asked = true;
	if (d->ifindex && d->fell)
		destroy(d); /* and create it when it has gone */
	else if (d->ifindex && tunnel_right(d))
		complete(d);
	else if (d->ifindex)
		modify(d);
	else
		create(d);
}

/* It had its device when it came into this state. In the others it is made, or
 * made again, on the way out. */
static bool needs_device(enum softwire_state state)
{
	return state == SOFTWIRE_WAIT_SA || state == SOFTWIRE_WAIT_FILTER ||
	       state == SOFTWIRE_UP;
}

/* After an answer or a notification: where do we stand? */
static void kdev_look(struct kdev *d)
{
	if (d->asked)
		return;
	if (!d->sw) {
		if (!d->ifindex)
			kdev_free(d);
		return;
	}
	if (kdev_right(d)) {
		d->attempts = 0;
		softwire_event(d->sw, SOFTWIRE_EV_DEVICE_READY, NULL);
	} else if (d->sw->state == SOFTWIRE_WAIT_DEVICE) {
		kdev_reconcile(d);
	} else if (needs_device(d->sw->state)) {
		if (!d->ifindex || !d->up || d->fell)
			softwire_event(d->sw, SOFTWIRE_EV_DEVICE_LOST, NULL);
		else
			kdev_reconcile(d); /* changed from outside */
	}
}

bool kdev_run_checks(void)
{
	struct timeval began;
	struct kdev *d;

	monotime(&began);
	while ((d = kdev_check_pop(&checks))) {
		d->checking = false;
		kdev_look(d);
		if (slice_over(&began))
			return false;
	}
	return true;
}

/* ---- what the model wants ---- */

bool swmesh_kernel_device_set(struct softwire *sw)
{
	struct kdev *d = sw->device;

	if (!d) {
		d = kdev_find(&sw->afbr->addr, &sw->tunnel);
		if (!d)
			d = kdev_new(&sw->afbr->addr, &sw->tunnel);
		THREAD_OFF(d->t_release);
		d->sw = sw;
		sw->device = d;
		kdev_tell(d);
	}
	memset(&d->want, 0, sizeof(d->want));
	d->want.local = swmesh->local_source;
	d->want.remote = sw->afbr->addr;
	d->want.tunnel = sw->tunnel;
	d->want.has_okey = sw->has_okey;
	d->want.okey = sw->okey;
	/* The kernel's sit does so by itself where it has to. */
	d->want.fragment =
		tun_has_df(sw->tunnel.type) && softwire_fragments(sw);
	d->want.mtu = softwire_mtu(sw);
	if (!d->want.mtu)
		d->want.mtu = d->ifindex ? d->have.mtu : TUNNEL_MTU_DEFAULT;
	d->attempts = 0;
	if (!d->asked && kdev_right(d))
		return true;
	kdev_reconcile(d);
	return false;
}

static void release(struct thread *t)
{
	struct kdev *d = THREAD_ARG(t);

	if (d->sw)
		return;
	if (d->asked) {
		thread_add_timer(master, release, d, 1, &d->t_release);
		return;
	}
	if (d->ifindex)
		destroy(d);
	else
		kdev_free(d);
}

void kdev_remove_later(struct kdev *d)
{
	thread_add_timer(master, release, d, KDEV_RELEASE_S, &d->t_release);
}

void swmesh_kernel_device_release(struct softwire *sw)
{
	static const struct softwire_device none;
	struct kdev *d = sw->device;

	sw->device = NULL;
	softwire_device(sw, &none);
	/* Adopted in name only: it never was asked for in this run. */
	if (!d)
		d = kdev_find(&sw->afbr->addr, &sw->tunnel);
	if (!d)
		return;
	d->sw = NULL;
	kdev_remove_later(d);
}

void kdev_init(void)
{
	kdev_keys_init(&kdevs);
	kdev_ifindexes_init(&by_ifindex);
	kdev_check_init(&checks);
}

void kdev_stop(void)
{
	struct kdev *d;

	while (kdev_check_pop(&checks))
		;
	while (kdev_ifindexes_pop(&by_ifindex))
		;
	while ((d = kdev_keys_pop(&kdevs))) {
		THREAD_OFF(d->t_release);
		XFREE(MTYPE_KDEV, d);
	}
	kdev_keys_fini(&kdevs);
	kdev_ifindexes_fini(&by_ifindex);
}
