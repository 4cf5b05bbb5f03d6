// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tunnel devices in the kernel; see swmesh_kernel.h.
 *
 * A device is told by (endpoint, tunnel we announced), as the kernel tells
 * them; the alias says that it is ours, and for people what it is. It is made
 * by one unit of three messages, carried out together: create it with endpoints
 * and keys; alias, address generation, reverse-path filter; up. Notifications
 * say what it has become.
 *
 * On the device: no IPv6 link-local address (addrgenmode none), it would only
 * clutter; rp_filter off, since a peer that prefers another tunnel than we do
 * sends by a device that our routes do not point at. Loose mode would not do:
 * on a device without an IPv4 address it drops such packets like strict mode
 * (fib_validate_source()). The kernel takes the larger one of this and
 * net.ipv4.conf.all.rp_filter, which is the operator's.
 */
#include <zebra.h>

#include "jhash.h"
#include "memory.h"
#include "monotime.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/swmesh_kernel.h"
#include "swmeshd/swmesh_netlink.h"
#include "swmeshd/swmesh_uapi.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, KDEV, "Tunnel device");

/* Routes that use it are given the time to go first. */
#define RELEASE_S 3
/* Changes in vain before the device counts as failing. */
#define ATTEMPTS_MAX 3
/* Names are sw1 to this; more than the AFBRs' tunnels of any mesh. */
#define NAME_MAX_N 65535
#define NAME_PREFIX "sw"

#define RP_FILTER_OFF 0

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
	bool up, exact;
	struct tun_params have;
	bool asked;  /* a request is under way */
	bool marked; /* not seen in the dump under way */
	struct kdev_stats stats;

	struct kdev_check_item check_item;
	bool checking;
};

static int kdev_key_cmp(const struct kdev *a, const struct kdev *b)
{
	int diff = ipaddr_cmp(&a->remote, &b->remote);

	if (!diff)
		diff = numcmp(a->tunnel.type, b->tunnel.type);
	if (!diff)
		diff = numcmp(a->tunnel.has_key, b->tunnel.has_key);
	return diff ? diff : numcmp(a->tunnel.key, b->tunnel.key);
}

static uint32_t kdev_key_hash(const struct kdev *d)
{
	return jhash(&d->remote.ip, IS_IPADDR_V4(&d->remote) ? 4 : 16,
		     jhash_3words(d->tunnel.type, d->tunnel.has_key,
				  d->tunnel.key, 0x53574d4b));
}

static int kdev_ifindex_cmp(const struct kdev *a, const struct kdev *b)
{
	return numcmp(a->ifindex, b->ifindex);
}

static uint32_t kdev_ifindex_hash(const struct kdev *d)
{
	return jhash_1word(d->ifindex, 0x53574d49);
}

DECLARE_HASH(kdev_keys, struct kdev, key_item, kdev_key_cmp, kdev_key_hash);
DECLARE_HASH(kdev_ifindexes, struct kdev, ifindex_item, kdev_ifindex_cmp,
	     kdev_ifindex_hash);
DECLARE_DLIST(kdev_check, struct kdev, check_item);

static struct kdev_keys_head by_key;
static struct kdev_ifindexes_head by_ifindex;
static struct kdev_check_head checks;
static uint8_t names[NAME_MAX_N / 8 + 1];
static unsigned int lowest_name = 1;
static struct thread *t_grace, *t_resync;
static bool synced;

static void kdev_reconcile(struct kdev *d);

/* ---- names ---- */

static void name_release(struct kdev *d)
{
	if (!d->n)
		return;
	names[d->n / 8] &= ~(1u << (d->n % 8));
	lowest_name = MIN(lowest_name, d->n);
	d->n = 0;
}

static void name_claim(struct kdev *d, const char *name)
{
	unsigned long n;
	char *end;

	name_release(d);
	strlcpy(d->name, name, sizeof(d->name));
	if (strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)))
		return;
	n = strtoul(name + strlen(NAME_PREFIX), &end, 10);
	if (*end || !n || n > NAME_MAX_N)
		return;
	d->n = n;
	names[n / 8] |= 1u << (n % 8);
}

/* The lowest number that neither we nor anybody else uses. */
static void name_choose(struct kdev *d)
{
	char name[IFNAMSIZ];
	unsigned int n;

	for (n = lowest_name; n <= NAME_MAX_N; n++) {
		if (names[n / 8] & (1u << (n % 8)))
			continue;
		snprintf(name, sizeof(name), NAME_PREFIX "%u", n);
		if (!if_nametoindex(name))
			break;
	}
	lowest_name = n + 1;
	snprintf(name, sizeof(name), NAME_PREFIX "%u", n);
	name_claim(d, name);
}

/* ---- objects ---- */

static struct kdev *kdev_find(const struct ipaddr *remote,
			      const struct sw_tunnel *tunnel)
{
	struct kdev ref = {};

	ref.remote = *remote;
	ref.tunnel = *tunnel;
	return kdev_keys_find(&by_key, &ref);
}

static struct kdev *kdev_new(const struct ipaddr *remote,
			     const struct sw_tunnel *tunnel)
{
	struct kdev *d = XCALLOC(MTYPE_KDEV, sizeof(*d));

	d->remote = *remote;
	d->tunnel = *tunnel;
	kdev_keys_add(&by_key, d);
	return d;
}

static struct kdev *kdev_by_ifindex(int ifindex)
{
	struct kdev ref = {.ifindex = ifindex};

	return ifindex ? kdev_ifindexes_find(&by_ifindex, &ref) : NULL;
}

static void kdev_set_ifindex(struct kdev *d, int ifindex)
{
	if (d->ifindex == ifindex)
		return;
	if (d->ifindex) {
		kdev_ifindexes_del(&by_ifindex, d);
		kroute_device_gone(d->ifindex);
	}
	d->ifindex = ifindex;
	if (ifindex)
		kdev_ifindexes_add(&by_ifindex, d);
	else
		d->up = false;
}

static void kdev_free(struct kdev *d)
{
	kdev_set_ifindex(d, 0);
	name_release(d);
	THREAD_OFF(d->t_release);
	if (d->checking)
		kdev_check_del(&checks, d);
	nl_forget(d);
	kdev_keys_del(&by_key, d);
	XFREE(MTYPE_KDEV, d);
}

bool swmesh_kernel_owns(int ifindex)
{
	return kdev_by_ifindex(ifindex) != NULL;
}

static bool kdev_right(const struct kdev *d)
{
	return d->ifindex && d->up && d->exact &&
	       !ipaddr_cmp(&d->have.local, &d->want.local) &&
	       !ipaddr_cmp(&d->have.remote, &d->want.remote) &&
	       sw_tunnel_same(&d->have.tunnel, &d->want.tunnel) &&
	       d->have.has_okey == d->want.has_okey &&
	       d->have.okey == d->want.okey && d->have.mtu == d->want.mtu;
}

static void check_later(struct kdev *d)
{
	if (d->checking)
		return;
	d->checking = true;
	kdev_check_add_tail(&checks, d);
}

/* "swmesh:2001:db8::2:gre/100": the owner, the peer and the tunnel. */
#define ALIAS_LEN 128
static const char *kdev_alias(const struct kdev *d, char *buf)
{
	char tunnel[SW_TUNNEL_TEXT_LEN];

	snprintfrr(buf, ALIAS_LEN, SWMESH_ALIAS "%pIA:%s", &d->remote,
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
	flog_err(EC_SWMESH_DEVICE, "softwire to %pIA by %s: %s", &d->remote,
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
	if (err == ENODEV && d->ifindex) /* went meanwhile; we shall hear */
		err = 0;
	if (err && d->sw) {
		if (!d->ifindex)
			name_release(d);
		kdev_failed(d, failure_text(d, err, text, buf, sizeof(buf)));
		return;
	}
	check_later(d); /* when the notifications have been read */
}

static void removed(void *arg, int err, const char *text)
{
	struct kdev *d = arg;

	d->asked = false;
	if (err && err != ENODEV)
		zlog_warn("kernel: device %s cannot be removed: %s", d->name,
			  strerror(err));
	check_later(d);
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
	char alias[ALIAS_LEN];

	link_message(d, RTM_NEWLINK, 0, &nlh);
	if (!d->ifindex)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, d->name);
	mnl_attr_put_strz(nlh, IFLA_IFALIAS, kdev_alias(d, alias));
	put_af_spec(nlh);

	ifi = link_message(d, RTM_NEWLINK, 0, &nlh);
	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
	if (!d->ifindex)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, d->name);
}

static void create(struct kdev *d)
{
	struct nlmsghdr *nlh;

	if (!d->n)
		name_choose(d);
	DEBUGD(&swmesh_dbg_kernel, "kernel: create %s to %pIA", d->name,
	       &d->remote);
	nl_unit_begin(set_done, d);
	link_message(d, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &nlh);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, d->name);
	mnl_attr_put_u32(nlh, IFLA_MTU, d->want.mtu);
	tun_put(nlh, &d->want);
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
	d->asked = true;
	if (d->ifindex)
		modify(d);
	else
		create(d);
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
	} else if (d->sw->state == SOFTWIRE_UP) {
		if (!d->ifindex || !d->up)
			softwire_event(d->sw, SOFTWIRE_EV_DEVICE_LOST, NULL);
		else
			kdev_reconcile(d); /* changed from outside */
	} else if (d->sw->state == SOFTWIRE_WAIT_DEVICE)
		kdev_reconcile(d);
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
	}
	memset(&d->want, 0, sizeof(d->want));
	d->want.local = swmesh->local_source;
	d->want.remote = sw->afbr->addr;
	d->want.tunnel = sw->tunnel;
	d->want.has_okey = sw->has_okey;
	d->want.okey = sw->okey;
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

void swmesh_kernel_device_release(struct softwire *sw)
{
	struct kdev *d = sw->device;

	sw->device = NULL;
	/* Adopted in name only: it never was asked for in this run. */
	if (!d)
		d = kdev_find(&sw->afbr->addr, &sw->tunnel);
	if (!d)
		return;
	d->sw = NULL;
	thread_add_timer(master, release, d, RELEASE_S, &d->t_release);
}

/* ---- what the kernel says ---- */

static int collect(const struct nlattr *attr, void *arg)
{
	const struct nlattr **a = arg;

	if (mnl_attr_get_type(attr) <= IFLA_MAX)
		a[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static const char *get_str(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0
		       ? mnl_attr_get_str(attr)
		       : "";
}

static void kdev_read(struct kdev *d, const struct ifinfomsg *ifi,
		      const struct nlattr **a)
{
	char alias[ALIAS_LEN];

	d->marked = false;
	d->up = ifi->ifi_flags & IFF_UP;
	if (!d->up && d->ifindex == ifi->ifi_index)
		kroute_device_gone(d->ifindex);
	kdev_set_ifindex(d, ifi->ifi_index);
	if (a[IFLA_IFNAME])
		name_claim(d, get_str(a[IFLA_IFNAME]));
	if (!a[IFLA_LINKINFO] ||
	    !tun_get(a[IFLA_LINKINFO], &d->have, &d->exact))
		d->exact = false;
	if (strcmp(get_str(a[IFLA_IFALIAS]), kdev_alias(d, alias)))
		d->exact = false;
	d->have.mtu = a[IFLA_MTU] ? mnl_attr_get_u32(a[IFLA_MTU]) : 0;
	check_later(d);
}

static void link_gone(int ifindex)
{
	struct kdev *d = kdev_by_ifindex(ifindex);

	if (!d)
		return;
	kdev_set_ifindex(d, 0);
	if (d->sw || d->asked)
		name_release(d); /* perhaps another one takes it */
	check_later(d);
}

static void link_notification(const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a[IFLA_MAX + 1] = {};
	struct tun_params params;
	struct kdev *d;
	bool exact;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) ||
	    ifi->ifi_family != AF_UNSPEC)
		return;
	if (nlh->nlmsg_type == RTM_DELLINK) {
		link_gone(ifi->ifi_index);
		return;
	}
	mnl_attr_parse(nlh, sizeof(*ifi), collect, a);
	d = kdev_by_ifindex(ifi->ifi_index);
	if (!d) {
		/* After the first message of create() it has no alias yet; the
		 * others make notifications of their own. */
		if (strncmp(get_str(a[IFLA_IFALIAS]), SWMESH_ALIAS,
			    strlen(SWMESH_ALIAS)) ||
		    !a[IFLA_LINKINFO] ||
		    !tun_get(a[IFLA_LINKINFO], &params, &exact))
			return;
		d = kdev_find(&params.remote, &params.tunnel);
		if (d && d->ifindex)
			return; /* by another local address; let it be */
		if (!d)
			d = kdev_new(&params.remote, &params.tunnel);
	}
	kdev_read(d, ifi, a);
}

static void idle(void)
{
	struct kdev *d;

	while ((d = kdev_check_pop(&checks))) {
		d->checking = false;
		kdev_look(d);
	}
	kroute_idle();
}

static int dump_link(const struct nlmsghdr *nlh, void *arg)
{
	link_notification(nlh);
	return MNL_CB_OK;
}

static int dump_route(const struct nlmsghdr *nlh, void *arg)
{
	kroute_notification(nlh, false);
	return MNL_CB_OK;
}

static void resync(struct thread *t);

static void read_all(void)
{
	struct kdev *d;
	bool ok;

	frr_each (kdev_keys, &by_key, d)
		d->marked = d->ifindex != 0;
	kroute_mark();
	ok = nl_dump_links(dump_link, NULL, false) &&
	     nl_dump_routes(dump_route, NULL);
	if (!ok) { /* what was not seen may be there all the same */
		thread_add_timer(master, resync, NULL, 1, &t_resync);
		return;
	}
	frr_each (kdev_keys, &by_key, d)
		if (d->marked)
			link_gone(d->ifindex);
	kroute_unmarked();
}

static void resync(struct thread *t)
{
	read_all();
	idle();
}

static void overrun(void)
{
	thread_add_event(master, resync, NULL, 0, &t_resync);
}

/* ---- leftovers ---- */

static void sweep(void)
{
	struct kdev *d;
	unsigned int n = 0;

	kroute_sweep();
	frr_each (kdev_keys, &by_key, d) {
		if (d->sw || d->t_release || !d->ifindex)
			continue;
		thread_add_timer(master, release, d, RELEASE_S, &d->t_release);
		n++;
	}
	if (n)
		zlog_info(
			"kernel: removing %u devices of an earlier run that nobody asks for",
			n);
}

static void grace_over(struct thread *t)
{
	/* Without a configuration nobody will ever ask; with one, only once
	 * bgpd has told what it needs. */
	if (!swmesh->config.enabled || synced)
		sweep();
}

void swmesh_kernel_synced(void)
{
	if (synced)
		return;
	synced = true;
	THREAD_OFF(t_grace);
	thread_add_timer(master, grace_over, NULL, swmesh_grace, &t_grace);
}

void swmesh_kernel_config_changed(struct mesh *mesh)
{
	kroute_prefix(mesh->config.enabled ? &mesh->config.nhop_prefix : NULL);
	if (!mesh->config.enabled)
		sweep();
}

void swmesh_kernel_leftovers(unsigned int *devices, unsigned int *routes)
{
	struct kdev *d;

	*devices = 0;
	frr_each (kdev_keys, &by_key, d)
		*devices += d->ifindex && !d->sw;
	*routes = kroute_leftovers();
}

/* ---- for "show" ---- */

const char *swmesh_kernel_device_name(const struct softwire *sw)
{
	const struct kdev *d = sw->device;

	return d && d->ifindex ? d->name : "";
}

int swmesh_kernel_device_ifindex(const struct softwire *sw)
{
	const struct kdev *d = sw->device;

	return d ? d->ifindex : 0;
}

uint32_t swmesh_kernel_device_mtu(const struct softwire *sw)
{
	const struct kdev *d = sw->device;

	return d && d->ifindex ? d->have.mtu : 0;
}

static int dump_stats(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a[IFLA_MAX + 1] = {};
	struct rtnl_link_stats64 s;
	struct kdev *d;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return MNL_CB_OK;
	d = kdev_by_ifindex(ifi->ifi_index);
	if (!d)
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*ifi), collect, a);
	if (!a[IFLA_STATS64])
		return MNL_CB_OK;
	memset(&s, 0, sizeof(s));
	memcpy(&s, mnl_attr_get_payload(a[IFLA_STATS64]),
	       MIN(sizeof(s),
		   (size_t)mnl_attr_get_payload_len(a[IFLA_STATS64])));
	d->stats.rx_packets = s.rx_packets;
	d->stats.rx_bytes = s.rx_bytes;
	d->stats.tx_packets = s.tx_packets;
	d->stats.tx_bytes = s.tx_bytes;
	d->stats.tx_errors = s.tx_errors;
	return MNL_CB_OK;
}

void swmesh_kernel_read_stats(void)
{
	nl_dump_links(dump_stats, NULL, true);
}

const struct kdev_stats *swmesh_kernel_stats(const struct softwire *sw)
{
	static const struct kdev_stats none;
	const struct kdev *d = sw->device;

	return d ? &d->stats : &none;
}

/* ---- start and stop ---- */

static const struct nl_ops nl_callbacks = {
	.link = link_notification,
	.route = kroute_notification,
	.overrun = overrun,
	.idle = idle,
};

bool swmesh_kernel_init(void)
{
	kdev_keys_init(&by_key);
	kdev_ifindexes_init(&by_ifindex);
	kdev_check_init(&checks);
	kroute_init();
	if (!nl_init(&nl_callbacks))
		return false;
	read_all();
	idle();
	thread_add_timer(master, grace_over, NULL, swmesh_grace, &t_grace);
	return true;
}

void swmesh_kernel_stop(void)
{
	struct kdev *d;

	THREAD_OFF(t_grace);
	THREAD_OFF(t_resync);
	nl_stop();
	while (kdev_check_pop(&checks))
		;
	while (kdev_ifindexes_pop(&by_ifindex))
		;
	while ((d = kdev_keys_pop(&by_key))) {
		THREAD_OFF(d->t_release);
		XFREE(MTYPE_KDEV, d);
	}
	kroute_stop();
	kdev_keys_fini(&by_key);
	kdev_ifindexes_fini(&by_ifindex);
}
