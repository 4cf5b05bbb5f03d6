/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tunnel types of the Tunnel Encapsulation attribute, one row each: name,
 * what it carries, and which sub-TLVs mean something for it (RFC 9012
 * section 13: others are disregarded, and kept).
 */
#include <stdlib.h>

#include "lib/tea_table.h"

#define BIT(sub) (1u << (sub))

/* Sub-TLVs that mean something whatever the tunnel. */
#define ANY                                                                    \
	(BIT(TEA_SUB_PROTOCOL) | BIT(TEA_SUB_AUTHENTICATOR) |                  \
	 BIT(TEA_SUB_COLOR) | BIT(TEA_SUB_ENDPOINT) |                          \
	 BIT(TEA_SUB_MPLS_STACK) | BIT(TEA_SUB_PREFIX_SID))
/* An outer IP header has a DS field (RFC 9012 section 3.3.1)... */
#define IP (ANY | BIT(TEA_SUB_DS))
/* ...and an outer UDP header a port (3.3.2). */
#define UDP (IP | BIT(TEA_SUB_UDP_PORT))
#define ENCAP BIT(TEA_SUB_ENCAP)
/* Types with a virtual network identifier (3.5). */
#define VNI BIT(TEA_SUB_EMBEDDED_LABEL)
/* Types with a field the ingress may spread flows over (RFC 5640). */
#define LB BIT(TEA_SUB_LB_BLOCK)

/* clang-format off */
#define ROW(t, n, payload_, means_, encap_) \
	[t] = {.type = t, .name = n, .payload = TEA_PAYLOAD_##payload_, \
	       .means = means_, .encap = encap_}

static const struct tea_type_row types[] = {
	ROW(TEA_TYPE_L2TPV3, "l2tpv3", ANY, IP | ENCAP | LB, &tea_encap_l2tpv3),
	ROW(TEA_TYPE_GRE, "gre", ANY, IP | ENCAP | LB, &tea_encap_gre),
	/* 3 to 6: RFC 5566, deprecated by RFC 9012 */
	ROW(TEA_TYPE_TRANSMIT_ENDPOINT, "transmit-endpoint", ANY, IP, NULL),
	ROW(TEA_TYPE_IPSEC_TUNNEL, "ipsec-tunnel", IP, IP, NULL),
	ROW(TEA_TYPE_IPIP_IPSEC, "ip-in-ip-ipsec", IP, IP, NULL),
	ROW(TEA_TYPE_MPLS_IP_IPSEC, "mpls-in-ip-ipsec", MPLS, IP, NULL),
	ROW(TEA_TYPE_IPIP, "ip-in-ip", IP, IP, NULL),
	ROW(TEA_TYPE_VXLAN, "vxlan", ANY, UDP | ENCAP | VNI, &tea_encap_vxlan),
	ROW(TEA_TYPE_NVGRE, "nvgre", ANY, IP | ENCAP | VNI, &tea_encap_vxlan),
	ROW(TEA_TYPE_MPLS, "mpls", ANY, ANY, NULL),
	ROW(TEA_TYPE_MPLS_IN_GRE, "mpls-in-gre", MPLS, IP | ENCAP | LB, &tea_encap_gre),
	ROW(TEA_TYPE_VXLAN_GPE, "vxlan-gpe", ANY, UDP | VNI, NULL),
	ROW(TEA_TYPE_MPLS_IN_UDP, "mpls-in-udp", MPLS, UDP, NULL),
	ROW(TEA_TYPE_IPV6_TUNNEL, "ipv6-tunnel", ANY, IP, NULL),
	ROW(TEA_TYPE_SR_POLICY, "sr-policy", ANY, ANY, NULL),
	ROW(TEA_TYPE_BARE, "bare", ANY, ANY, NULL),
	ROW(TEA_TYPE_GENEVE, "geneve", ANY, UDP | VNI, NULL),
};
/* clang-format on */

#define N_TYPES (sizeof(types) / sizeof(types[0]))

const struct tea_type_row *tea_type_row(uint16_t type)
{
	return type < N_TYPES && types[type].name ? &types[type] : NULL;
}

bool tea_type_known(uint16_t type)
{
	return tea_type_row(type) != NULL;
}

const char *tea_type_name(uint16_t type)
{
	const struct tea_type_row *row = tea_type_row(type);

	return row ? row->name : "unknown";
}

int tea_type_by_name(const char *name)
{
	unsigned long number;
	char *end;

	for (size_t i = 0; i < N_TYPES; i++)
		if (types[i].name && strcmp(types[i].name, name) == 0)
			return types[i].type;
	if (name[0] < '0' || name[0] > '9')
		return -1;
	number = strtoul(name, &end, 10);
	return *end == '\0' && number <= UINT16_MAX ? (int)number : -1;
}

bool tea_type_carries(const struct tea_type_row *type, uint16_t ethertype)
{
	switch (type ? type->payload : TEA_PAYLOAD_ANY) {
	case TEA_PAYLOAD_IP:
		return ethertype == TEA_ETHERTYPE_IPV4 ||
		       ethertype == TEA_ETHERTYPE_IPV6;
	case TEA_PAYLOAD_MPLS:
		/* unicast and upstream-assigned (RFC 5332) */
		return ethertype == 0x8847 || ethertype == 0x8848;
	case TEA_PAYLOAD_ANY:
		break;
	}
	return true;
}
