// SPDX-License-Identifier: GPL-2.0-or-later
/* The IP protocols of softwires; see encap/protocol.h. */
#include <zebra.h>

#include "swmeshd/encap/protocol.h"

const struct encap_protocol encap_protocols[ENCAP_PROTOCOLS] = {
	[ENCAP_PROTOCOL_GRE] = {IPPROTO_GRE, "gre"},
	[ENCAP_PROTOCOL_IP4] = {IPPROTO_IPIP, "ip4"},
	[ENCAP_PROTOCOL_IP6] = {IPPROTO_IPV6, "ip6"},
};
