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

static const struct encap_protocol bgp[] = {
	[IKE_CHILD_BGP_IN - ENCAP_PROTOCOLS] = {IPPROTO_TCP, "bgp-in"},
	[IKE_CHILD_BGP_OUT - ENCAP_PROTOCOLS] = {IPPROTO_TCP, "bgp-out"},
};

static const struct encap_protocol *protocol_of(enum ike_kind kind)
{
	return (unsigned int)kind < ENCAP_PROTOCOLS
		       ? &encap_protocols[kind]
		       : &bgp[kind - ENCAP_PROTOCOLS];
}

const char *ike_kind_name(enum ike_kind kind)
{
	return protocol_of(kind)->word;
}

uint8_t ike_kind_protocol(enum ike_kind kind)
{
	return protocol_of(kind)->number;
}

const char *ike_peer_role(const struct ike_peer *peer)
{
	return peer->initiator ? "initiator" : "responder";
}
