/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Tunnel Encapsulation attribute in words, for show commands and logs.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/tea_table.h"

/* ---- a buffer that is cut rather than overrun ---- */

struct text {
	char *at;
	size_t left;
};

static void add(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->left == 0)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->left)
		n = (int)t->left - 1;
	t->at += n;
	t->left -= (size_t)n;
}

/* ---- reasons ---- */

static const char *const errors[] = {
	[TEA_ERR_NONE] = "accepted",
	[TEA_ERR_EMPTY] = "the attribute has no tunnel TLV",
	[TEA_ERR_TLV_HEADER] =
		"the attribute ends inside a tunnel TLV's header",
	[TEA_ERR_TLV_OVERRUN] = "a tunnel TLV is longer than the attribute",
	[TEA_ERR_SUBTLV_HEADER] = "a tunnel TLV ends inside a sub-TLV's header",
	[TEA_ERR_SUBTLV_OVERRUN] = "a sub-TLV is longer than its tunnel TLV",
	[TEA_ERR_NO_VALID_TLV] = "no valid tunnel TLV",
	[TEA_ERR_NOT_TRANSITIVE] = "the attribute's transitive bit is clear",
	[TEA_ERR_NOT_OPTIONAL] = "the attribute's optional bit is clear",
	[TEA_ERR_ATTR_TRUNCATED] =
		"the attribute is shorter than its header says",
	[TEA_ERR_TOO_LONG] = "the attribute is longer than 65535 octets",
	[TEA_ERR_NO_MEMORY] = "out of memory",
};

char *tea_reason(const struct tea *tea, char *buf, size_t len)
{
	char why[TEA_TEXT_LEN];
	struct text t = {buf, len};

	add(&t, "%s", errors[tea->error]);
	switch (tea->error) {
	case TEA_ERR_TLV_HEADER:
	case TEA_ERR_TLV_OVERRUN:
	case TEA_ERR_SUBTLV_HEADER:
	case TEA_ERR_SUBTLV_OVERRUN:
		add(&t, " (tunnel TLV %zu, octet %zu)", tea->n_tunnels + 1,
		    tea->error_at);
		break;
	case TEA_ERR_NO_VALID_TLV:
		/* every one has its reason; the first says enough */
		add(&t, ": %s(%u): %s", tea->tunnels[0].name,
		    tea->tunnels[0].type,
		    tea_tunnel_reason(&tea->tunnels[0], why, sizeof(why)));
		break;
	default:
		break;
	}
	return buf;
}

char *tea_tunnel_reason(const struct tea_tunnel *tunnel, char *buf, size_t len)
{
	char ep[INET6_ADDRSTRLEN + 16];
	struct text t = {buf, len};

	tea_endpoint_format(&tunnel->endpoint, ep, sizeof(ep));
	switch ((enum tea_why)tunnel->why) {
	case TEA_WHY_USABLE:
		add(&t, "usable");
		break;
	case TEA_WHY_UNKNOWN_TYPE:
		add(&t, "tunnel type %u not known", tunnel->type);
		break;
	case TEA_WHY_UNSUPPORTED_TYPE:
		add(&t, "%s(%u) not supported", tunnel->name, tunnel->type);
		break;
	case TEA_WHY_NO_ENDPOINT:
		add(&t, "no tunnel egress endpoint");
		break;
	case TEA_WHY_TWO_ENDPOINTS:
		add(&t, "more than one tunnel egress endpoint");
		break;
	case TEA_WHY_ENDPOINT_LENGTH:
		add(&t, "tunnel egress endpoint of the wrong length");
		break;
	case TEA_WHY_ENDPOINT_MARTIAN:
		add(&t, "endpoint %s is a special-purpose address (RFC 6890)",
		    ep);
		break;
	case TEA_WHY_ENDPOINT_FAMILY:
		add(&t, "endpoint of unknown address family %u",
		    tunnel->endpoint.family);
		break;
	case TEA_WHY_ENDPOINT_NOT_A_HOST:
		add(&t, "no tunnel can end at %s", ep);
		break;
	case TEA_WHY_NO_SESSION:
		add(&t, "l2tpv3 without a valid session id");
		break;
	case TEA_WHY_WITHDRAWN:
		add(&t, "the route is withdrawn");
		break;
	}
	return buf;
}

static const char *const states[] = {
	[TEA_SUB_OK] = "ok",
	[TEA_SUB_UNRECOGNISED] = "unrecognised",
	[TEA_SUB_MALFORMED] = "malformed",
	[TEA_SUB_DUPLICATE] = "duplicate",
	[TEA_SUB_MEANINGLESS] = "meaningless",
};

const char *tea_sub_state_text(enum tea_sub_state state)
{
	return states[state];
}

/* ---- values ---- */

char *tea_endpoint_format(const struct tea_endpoint *endpoint, char *buf,
			  size_t len)
{
	char addr[INET6_ADDRSTRLEN] = "?";
	struct text t = {buf, len};

	switch (endpoint->family) {
	case TEA_AF_NONE:
		add(&t, "next-hop");
		break;
	case TEA_AF_IPV4:
		inet_ntop(AF_INET, &endpoint->v4, addr, sizeof(addr));
		add(&t, "%s", addr);
		break;
	case TEA_AF_IPV6:
		inet_ntop(AF_INET6, &endpoint->v6, addr, sizeof(addr));
		add(&t, "%s", addr);
		break;
	default:
		add(&t, "family %u", endpoint->family);
		break;
	}
	return buf;
}

/* The sub-TLVs of which there may be several. */
static void add_subs(struct text *t, const struct tea_tunnel *tunnel)
{
	const uint8_t *spki;
	size_t len;

	for (size_t i = 0; i < tunnel->n_subs; i++) {
		const struct tea_subtlv *sub = &tunnel->subs[i];

		if (tea_sub_public_key(sub, &spki, &len))
			add(t, " public key of %zu octets", len);
		if (sub->state != TEA_SUB_OK)
			continue;
		if (sub->type == TEA_SUB_PROTOCOL)
			add(t, " protocol 0x%04x", sub->u.protocol);
		else if (sub->type == TEA_SUB_COLOR)
			add(t, " color %u", sub->u.color.color);
		else if (sub->type == TEA_SUB_AUTHENTICATOR)
			add(t, " authenticator type %u", sub->u.auth.type);
	}
}

char *tea_tunnel_format(const struct tea_tunnel *tunnel, char *buf, size_t len)
{
	char ep[INET6_ADDRSTRLEN + 16];
	struct text t = {buf, len};
	uint32_t key;

	add(&t, "%s(%u)", tunnel->name, tunnel->type);
	if (TEA_HAS(tunnel, TEA_SUB_ENDPOINT))
		add(&t, " endpoint %s",
		    tea_endpoint_format(&tunnel->endpoint, ep, sizeof(ep)));
	if (tea_tunnel_gre_key(tunnel, &key))
		add(&t, " key %u", key);
	if (tunnel->l2tpv3.session != 0) {
		add(&t, " session %u", tunnel->l2tpv3.session);
		if (tunnel->l2tpv3.cookie_len)
			add(&t, " cookie %u bits",
			    tunnel->l2tpv3.cookie_len * 8u);
	}
	if (TEA_HAS(tunnel, TEA_SUB_LB_BLOCK))
		add(&t, " load-balancing-block %u", tunnel->lb_block);
	if (TEA_HAS(tunnel, TEA_SUB_DS))
		add(&t, " ds 0x%02x", tunnel->ds);
	if (TEA_HAS(tunnel, TEA_SUB_UDP_PORT))
		add(&t, " udp-port %u", tunnel->udp_port);
	add_subs(&t, tunnel);
	return buf;
}
