// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel backend's view of the kernel: what it says of devices and routes,
 * when we start, when something changes, and when notifications were lost; and
 * what to do with leftovers. See kernel/kernel.h.
 */
#include <zebra.h>

#include "swmeshd/kernel/kdev.h"
#include "swmeshd/kernel/kernel.h"
#include "swmeshd/kernel/kroute.h"
#include "swmeshd/kernel/netlink.h"
#include "swmeshd/kernel/nldump.h"
#include "swmeshd/kernel/uapi.h"
#include "swmeshd/swmeshd.h"

/* Between two tries to read all that changes all the while. */
#define RESYNC_MIN_S 1
#define RESYNC_MAX_S 32

static struct thread *t_resync;
static unsigned int resync_s = RESYNC_MIN_S;

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
	char alias[KDEV_ALIAS_LEN];

	bool was_up = d->up && d->ifindex == ifi->ifi_index;

	d->marked = false;
	d->up = ifi->ifi_flags & IFF_UP;
	if (d->ifindex && (!d->up || d->ifindex != ifi->ifi_index))
		kroute_device_gone(d->ifindex);
	if (!d->up && was_up)
		d->fell = true;
	kdev_set_ifindex(d, ifi->ifi_index);
	if (a[IFLA_IFNAME])
		kdev_set_name(d, get_str(a[IFLA_IFNAME]));
	if (!a[IFLA_LINKINFO] ||
	    !tun_get(a[IFLA_LINKINFO], &d->have, &d->exact))
		d->exact = false;
	d->alias_set = !strcmp(get_str(a[IFLA_IFALIAS]), kdev_alias(d, alias));
	d->have.mtu = a[IFLA_MTU] ? mnl_attr_get_u32(a[IFLA_MTU]) : 0;
	kdev_tell(d);
	kdev_check_later(d);
}

static void link_gone(int ifindex)
{
	struct kdev *d = kdev_by_ifindex(ifindex);

	if (!d)
		return;
	kdev_set_ifindex(d, 0);
	kdev_tell(d);
	kroute_device_gone(ifindex);
	if (d->sw || d->asked)
		kdev_release_name(d); /* perhaps another one takes it */
	kdev_check_later(d);
}

static bool is_ours(const struct nlattr **a)
{
	return !strncmp(get_str(a[IFLA_IFALIAS]), SWMESH_ALIAS,
			strlen(SWMESH_ALIAS)) ||
	       (a[IFLA_GROUP] &&
		mnl_attr_validate(a[IFLA_GROUP], MNL_TYPE_U32) >= 0 &&
		mnl_attr_get_u32(a[IFLA_GROUP]) == SWMESH_GROUP);
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
		if (!is_ours(a) || !a[IFLA_LINKINFO] ||
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

static bool idle(void)
{
	return kdev_run_checks() && kroute_idle();
}

static int dump_link(const struct nlmsghdr *nlh, void *arg)
{
	link_notification(nlh);
	return MNL_CB_OK;
}

static int dump_route(const struct nlmsghdr *nlh, void *arg)
{
	kroute_notification(nlh);
	return MNL_CB_OK;
}

static void resync(struct thread *t);

static void read_all(void)
{
	struct kdev *d;
	bool ok;

	frr_each (kdev_keys, &kdevs, d)
		d->marked = d->ifindex != 0;
	kroute_mark();
	ok = nl_dump_links(dump_link, NULL, false);
	ok = nl_dump_routes(dump_route, NULL) && ok;
	if (!ok) { /* what was not seen may be there all the same */
		thread_add_timer(master, resync, NULL, resync_s, &t_resync);
		resync_s = MIN(2 * resync_s, (unsigned int)RESYNC_MAX_S);
		return;
	}
	resync_s = RESYNC_MIN_S;
	frr_each (kdev_keys, &kdevs, d)
		if (d->marked)
			link_gone(d->ifindex);
	kroute_unmarked();
}

static void resync(struct thread *t)
{
	read_all();
	nl_drain();
}

static void overrun(void)
{
	thread_add_event(master, resync, NULL, 0, &t_resync);
}

/* ---- leftovers ---- */

void swmesh_kernel_sweep(void)
{
	struct kdev *d;
	unsigned int n = 0;

	kroute_sweep();
	frr_each (kdev_keys, &kdevs, d) {
		if (d->sw || d->t_release || !d->ifindex)
			continue;
		kdev_remove_later(d);
		n++;
	}
	if (n)
		zlog_info(
			"kernel: removing %u devices of an earlier run that nobody asks for",
			n);
}

void swmesh_kernel_config_changed(struct mesh *mesh)
{
	kroute_prefix(mesh->config.enabled ? &mesh->config.nhop_prefix : NULL);
	if (!mesh->config.enabled)
		swmesh_kernel_sweep();
}

void swmesh_kernel_leftovers(unsigned int *devices, unsigned int *routes)
{
	struct kdev *d;

	*devices = 0;
	frr_each (kdev_keys, &kdevs, d)
		*devices += d->ifindex && !d->sw;
	*routes = kroute_leftovers();
}

bool swmesh_kernel_any_device(const struct ipaddr *local, uint16_t type)
{
	struct kdev *d;

	frr_each (kdev_keys, &kdevs, d) {
		if (d->tunnel.type != type)
			continue;
		if ((d->ifindex && !ipaddr_cmp(&d->have.local, local)) ||
		    (d->asked && !ipaddr_cmp(&d->want.local, local)))
			return true;
	}
	return false;
}

/* ---- for "show" ---- */

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
	kdev_init();
	kroute_init();
	if (!nl_init(&nl_callbacks) || !nl_dump_open())
		return false;
	read_all();
	nl_drain();
	return true;
}

void swmesh_kernel_stop(void)
{
	THREAD_OFF(t_resync);
	nl_stop();
	nl_dump_close();
	kdev_stop();
	kroute_stop();
}
