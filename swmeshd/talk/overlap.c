// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses inside the SW-NHOP prefix; see talk/overlap.h. */
#include <zebra.h>

#include "if.h"
#include "vrf.h"

#include "lib/log_limit.h"

#include "swmeshd/model/model.h"
#include "swmeshd/talk/overlap.h"
#include "swmeshd/swmeshd.h"

static bool overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family &&
	       (prefix_match(a, b) || prefix_match(b, a));
}

static bool connected_overlaps(const struct connected *c,
			       const struct prefix *prefix)
{
	/* Every interface has these; no route to them leads elsewhere. */
	if (c->address->family != AF_INET6 ||
	    IN6_IS_ADDR_LINKLOCAL(&c->address->u.prefix6) ||
	    swmesh->ops->device_ours(c->ifp->ifindex))
		return false;
	return overlaps(c->address, prefix) ||
	       (c->destination && overlaps(c->destination, prefix));
}

static const char *text_of(const struct connected *c, char *buf, size_t len)
{
	snprintfrr(buf, len, "%pFX on %s", c->address, c->ifp->name);
	return buf;
}

const char *swmesh_overlap_find(const struct prefix *prefix, char *buf,
				size_t len)
{
	struct vrf *vrf = vrf_lookup_by_id(VRF_DEFAULT);
	const struct connected *c;
	struct interface *ifp;
	struct listnode *node;

	buf[0] = '\0';
	FOR_ALL_INTERFACES (vrf, ifp) {
		for (ALL_LIST_ELEMENTS_RO(ifp->connected, node, c)) {
			if (!connected_overlaps(c, prefix))
				continue;
			return text_of(c, buf, len);
		}
	}
	return buf;
}

const char *swmesh_overlap_now(char *buf, size_t len)
{
	buf[0] = '\0';
	if (!swmesh->config.enabled)
		return buf;
	return swmesh_overlap_find(
		(const struct prefix *)&swmesh->config.nhop_prefix, buf, len);
}

static void warn(uintptr_t object, const char *address)
{
	zlog_warn_limited(
		object,
		"softwire mesh: sw-nhop prefix %pFX overlaps %s: hosts there are not reached, or SW-NHOPs are taken for them; choose another prefix with 'sw-nhop prefix', or another address there",
		&swmesh->config.nhop_prefix, address);
}

void swmesh_overlap_warn(const struct connected *c)
{
	const struct prefix *prefix =
		(const struct prefix *)&swmesh->config.nhop_prefix;
	char text[OVERLAP_TEXT_LEN];

	if (!swmesh->config.enabled || !connected_overlaps(c, prefix))
		return;
	warn(c->ifp->ifindex, text_of(c, text, sizeof(text)));
}

void swmesh_overlap_config_changed(void)
{
	static struct prefix_ipv6 before;
	const struct prefix_ipv6 *now = &swmesh->config.nhop_prefix;
	char text[OVERLAP_TEXT_LEN];

	if (!swmesh->config.enabled) {
		memset(&before, 0, sizeof(before));
		return;
	}
	if (prefix_same(&before, now))
		return;
	prefix_copy(&before, now);
	if (swmesh_overlap_now(text, sizeof(text))[0])
		warn(0, text);
}
