// SPDX-License-Identifier: GPL-2.0-or-later
/* Words of the IKE backend. */
#include <zebra.h>

#include "swmeshd/ike/ike_show.h"

const char *ike_state_name(enum ike_state state)
{
	static const char *const names[IKE_STATES] = {
		[IKE_IDLE] = "idle",
		[IKE_BLOCKED] = "blocked",
		[IKE_AWAY] = "charon-away",
		[IKE_LOADING] = "loading",
		[IKE_WAITING] = "waiting",
		[IKE_QUEUED] = "queued",
		[IKE_INITIATING] = "initiating",
		[IKE_BACKOFF] = "backoff",
		[IKE_UP] = "up",
	};

	return names[state];
}

static const struct {
	const char *name;
	uint8_t protocol;
} kinds[IKE_CHILDREN] = {
	[IKE_CHILD_GRE] = {"gre", IPPROTO_GRE},
	[IKE_CHILD_IP4] = {"ip4", IPPROTO_IPIP},
	[IKE_CHILD_IP6] = {"ip6", IPPROTO_IPV6},
	[IKE_CHILD_BGP_IN] = {"bgp-in", IPPROTO_TCP},
	[IKE_CHILD_BGP_OUT] = {"bgp-out", IPPROTO_TCP},
};

const char *ike_kind_name(enum ike_kind kind)
{
	return kinds[kind].name;
}

uint8_t ike_kind_protocol(enum ike_kind kind)
{
	return kinds[kind].protocol;
}

const char *ike_peer_role(const struct ike_peer *peer)
{
	return peer->initiator ? "initiator" : "responder";
}
