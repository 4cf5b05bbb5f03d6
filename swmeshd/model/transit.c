// SPDX-License-Identifier: GPL-2.0-or-later
/* Which ways lead through the transit core; see model/transit.h. */
#include <zebra.h>

#include "ipaddr.h"

#include "swmeshd/model/transit.h"

bool transit_island_address(const struct prefix *address, int core)
{
	if (address->family == core)
		return false;
	if (address->family == AF_INET)
		return !IPV4_LINKLOCAL(ntohl(address->u.prefix4.s_addr));
	return address->family == AF_INET6 &&
	       !IN6_IS_ADDR_LINKLOCAL(&address->u.prefix6);
}

static bool named(const struct transit_config *config, const char *ifname)
{
	for (unsigned int i = 0; i < config->n_interfaces; i++)
		if (!strcmp(config->interface[i], ifname))
			return true;
	return false;
}

static enum transit_verdict judge(const struct transit_config *config,
				  const struct transit_leg *leg)
{
	if (!leg->ifname[0])
		return TRANSIT_NO_INTERFACE;
	if (leg->loopback)
		return TRANSIT_LOOPBACK;
	if (config->n_interfaces)
		return named(config, leg->ifname) ? TRANSIT_CORE
						  : TRANSIT_NOT_NAMED;
	if (leg->foreign)
		return TRANSIT_FOREIGN;
	return leg->island.family ? TRANSIT_ISLAND : TRANSIT_CORE;
}

void transit_judge(const struct transit_config *config,
		   const struct transit_leg *leg, struct transit_fault *fault)
{
	if (fault->verdict != TRANSIT_CORE)
		return;
	fault->verdict = judge(config, leg);
	if (fault->verdict == TRANSIT_CORE)
		return;
	strlcpy(fault->ifname, leg->ifname, sizeof(fault->ifname));
	if (fault->verdict == TRANSIT_ISLAND)
		prefix2str(&leg->island, fault->island, sizeof(fault->island));
}

const char *transit_reason(const struct transit_config *config,
			   const struct transit_fault *fault,
			   const struct ipaddr *endpoint, char *buf, size_t len)
{
	const char *ifname = fault->ifname;

	buf[0] = '\0';
	switch (fault->verdict) {
	case TRANSIT_CORE:
		break;
	case TRANSIT_NOT_LISTED:
		snprintfrr(
			buf, len,
			"prefix-list %s, which 'transit prefix-list' names, does not permit endpoint %pIA",
			config->prefix_list, endpoint);
		break;
	case TRANSIT_NO_LIST:
		snprintfrr(
			buf, len,
			"there is no %s prefix-list %s, which 'transit prefix-list' names: no endpoint is permitted",
			IS_IPADDR_V4(endpoint) ? "ip" : "ipv6",
			config->prefix_list);
		break;
	case TRANSIT_NO_INTERFACE:
		snprintfrr(
			buf, len,
			"the way to %pIA leaves by an interface that zebra does not tell",
			endpoint);
		break;
	case TRANSIT_FOREIGN:
		snprintfrr(
			buf, len,
			"the way to %pIA leaves by %s in another VRF; if the core is there, enter 'transit interface %s'",
			endpoint, ifname, ifname);
		break;
	case TRANSIT_LOOPBACK:
		snprintfrr(
			buf, len,
			"the way to %pIA ends in this router (%s), not beyond the core",
			endpoint, ifname);
		break;
	case TRANSIT_ISLAND:
		snprintfrr(
			buf, len,
			"the way to %pIA leaves by %s, where an island is (%s); if the core is there, enter 'transit interface %s'",
			endpoint, ifname, fault->island, ifname);
		break;
	case TRANSIT_NOT_NAMED:
		snprintfrr(
			buf, len,
			"the way to %pIA leaves by %s; if the core is there, enter 'transit interface %s'",
			endpoint, ifname, ifname);
		break;
	}
	return buf;
}
