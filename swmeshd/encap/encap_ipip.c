// SPDX-License-Identifier: GPL-2.0-or-later
/* IP in IP (RFC 2003, 2473, 4213): a protocol for each family of the payload.
 */
#include <zebra.h>

#include "lib/tea.h"
#include "swmeshd/encap/encap.h"

static unsigned int protocols(uint8_t payload, uint8_t out[ENCAP_PROTOCOLS_MAX])
{
	unsigned int n = 0;

	if (payload & PAYLOAD_IPV4)
		out[n++] = IPPROTO_IPIP;
	if (payload & PAYLOAD_IPV6)
		out[n++] = IPPROTO_IPV6;
	return n;
}

static unsigned int header(bool has_key)
{
	return 0;
}

/* RFC 5566: inside an IPsec tunnel, or with transport mode, which is the same
 * on the wire. */
const struct encap encap_ipip = {
	.type = TEA_TYPE_IPIP,
	.stands_for = {TEA_TYPE_IPIP_IPSEC, TEA_TYPE_IPSEC_TUNNEL},
	.protocols = protocols,
	.header = header,
};
