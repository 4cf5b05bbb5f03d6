// SPDX-License-Identifier: GPL-2.0-or-later
/* Encap-sets and their compilation; see model/encap_set.h. */
#include <zebra.h>

#include "memory.h"

#include "swmeshd/model/encap_set.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, ENCAP_SET, "Encap-set");
DEFINE_MTYPE_STATIC(SWMESHD, ENCAP_TUNNEL, "Encap-set's tunnel");

int encap_tunnel_cmp(const struct encap_tunnel *a, const struct encap_tunnel *b)
{
	return numcmp(a->preference, b->preference);
}

int encap_set_cmp(const struct encap_set *a, const struct encap_set *b)
{
	return strcmp(a->name, b->name);
}

struct encap_set *encap_set_find(struct encap_sets_head *sets, const char *name)
{
	struct encap_set ref = {};

	strlcpy(ref.name, name, sizeof(ref.name));
	return encap_sets_find(sets, &ref);
}

struct encap_set *encap_set_get(struct encap_sets_head *sets, const char *name)
{
	struct encap_set *set = encap_set_find(sets, name);

	if (set)
		return set;
	set = XCALLOC(MTYPE_ENCAP_SET, sizeof(*set));
	strlcpy(set->name, name, sizeof(set->name));
	encap_tunnels_init(&set->tunnels);
	encap_sets_add(sets, set);
	return set;
}

void encap_set_del(struct encap_sets_head *sets, struct encap_set *set)
{
	struct encap_tunnel *et;

	encap_sets_del(sets, set);
	while ((et = encap_tunnels_pop(&set->tunnels)))
		XFREE(MTYPE_ENCAP_TUNNEL, et);
	encap_tunnels_fini(&set->tunnels);
	XFREE(MTYPE_ENCAP_SET, set);
}

void encap_sets_del_all(struct encap_sets_head *sets)
{
	struct encap_set *set;

	while ((set = encap_sets_first(sets)))
		encap_set_del(sets, set);
}

struct encap_tunnel *encap_tunnel_get(struct encap_set *set,
				      uint16_t preference)
{
	struct encap_tunnel ref = {.preference = preference}, *et;

	et = encap_tunnels_find(&set->tunnels, &ref);
	if (et)
		return et;
	et = XCALLOC(MTYPE_ENCAP_TUNNEL, sizeof(*et));
	et->preference = preference;
	encap_tunnels_add(&set->tunnels, et);
	return et;
}

void encap_tunnel_del(struct encap_set *set, uint16_t preference)
{
	struct encap_tunnel ref = {.preference = preference}, *et;

	et = encap_tunnels_find(&set->tunnels, &ref);
	if (!et)
		return;
	encap_tunnels_del(&set->tunnels, et);
	XFREE(MTYPE_ENCAP_TUNNEL, et);
}

/* Under "peer policy protected" a tunnel without security is as good as none.
 */
static bool tunnel_used(const struct encap_set *set,
			const struct encap_tunnel *et)
{
	return !set->protected_only || encap_tunnel_security(set, et)[0];
}

static unsigned int tunnels_used(const struct encap_set *set)
{
	const struct encap_tunnel *et;
	unsigned int n = 0;

	frr_each (encap_tunnels_const, &set->tunnels, et)
		n += tunnel_used(set, et);
	return n;
}

const char *encap_set_missing(const struct encap_set *set)
{
	if (!encap_tunnels_count(&set->tunnels))
		return "no tunnel: add one with 'tunnel (1-65535) <gre|ip-in-ip>'";
	if (!set->payload)
		return "no payload: add 'payload <ipv4|ipv6>'";
	if (!tunnels_used(set))
		return "no security, which 'peer policy protected' asks for: add 'security NAME'";
	return NULL;
}

const char *encap_tunnel_security(const struct encap_set *set,
				  const struct encap_tunnel *et)
{
	if (!et->security[0])
		return set->security;
	return strcmp(et->security, SECURITY_NONE) ? et->security : "";
}

bool encap_tunnel_clear(const struct encap_set *set,
			const struct encap_tunnel *et)
{
	return et->security[0] ? !strcmp(et->security, SECURITY_NONE)
			       : set->clear;
}

struct compiler {
	struct tea_builder b;
	const struct encap_set *set;
	const struct ipaddr *endpoint;
	bool keys_told; /* the SubjectPublicKeyInfos: once is enough */
};

/*
 * That the tunnel is protected: by hashes (RFC 5566) where there are keys to
 * announce, else by our own sub-TLV. In every TLV, since it is the TLV that
 * asks for IPsec; the keys themselves are told once.
 */
static void compile_security(struct compiler *c,
			     const struct security *security)
{
	if (!security || !security->n_keys) {
		tea_build_protected(&c->b);
		return;
	}
	for (unsigned int i = 0; i < security->n_keys; i++)
		tea_build_authenticator(&c->b, TEA_AUTH_SHA1,
					security->keys[i].hash, KEY_HASH_LEN);
	if (c->keys_told)
		return;
	c->keys_told = true;
	for (unsigned int i = 0; i < security->n_keys; i++)
		tea_build_public_key(&c->b, security->keys[i].spki,
				     security->keys[i].len);
}

static void compile_tunnel(struct compiler *c, uint16_t type,
			   const struct encap_tunnel *et,
			   const struct security *security)
{
	const struct sw_tunnel *tunnel = &et->tunnel;

	tea_build_tunnel(&c->b, type);
	if (IS_IPADDR_V4(c->endpoint))
		tea_build_endpoint_ipv4(&c->b, &c->endpoint->ipaddr_v4);
	else
		tea_build_endpoint_ipv6(&c->b, &c->endpoint->ipaddr_v6);
	if (tunnel->has_key)
		tea_build_gre_key(&c->b, tunnel->key);
	if (c->set->payload & PAYLOAD_IPV4)
		tea_build_protocol(&c->b, TEA_ETHERTYPE_IPV4);
	if (c->set->payload & PAYLOAD_IPV6)
		tea_build_protocol(&c->b, TEA_ETHERTYPE_IPV6);
	/* By its name: a security that is not there (yet) is no reason to be
	 * sent to in clear. */
	if (encap_tunnel_security(c->set, et)[0])
		compile_security(c, security);
}

ssize_t encap_set_compile(const struct encap_set *set,
			  struct securities_head *securities,
			  const struct ipaddr *endpoint, uint8_t *buf,
			  size_t cap)
{
	struct compiler c = {.set = set, .endpoint = endpoint};
	const struct encap_tunnel *et;
	const struct security *security;
	const struct encap *encap;

	if (encap_set_missing(set) || IS_IPADDR_NONE(endpoint))
		return 0;
	tea_build_start(&c.b, buf, cap);
	frr_each (encap_tunnels_const, &set->tunnels, et) {
		if (!tunnel_used(set, et))
			continue;
		security = security_find(securities,
					 encap_tunnel_security(set, et));
		compile_tunnel(&c, et->tunnel.type, et, security);
		if (!security || !set->rfc5566)
			continue;
		encap = encap_find(et->tunnel.type);
		for (unsigned int i = 0; encap && encap->stands_for[i]; i++)
			compile_tunnel(&c, encap->stands_for[i], et, security);
	}
	return tea_build_finish(&c.b);
}

const struct encap_set *encap_set_announced(struct encap_sets_head *sets,
					    const char *announce,
					    uint8_t payload)
{
	const struct encap_set *set;

	if (announce[0]) {
		set = encap_set_find(sets, announce);
		if (!set || encap_set_missing(set) || !(set->payload & payload))
			return NULL;
		return set;
	}
	frr_each (encap_sets_const, sets, set)
		if (!encap_set_missing(set) && (set->payload & payload))
			return set;
	return NULL;
}

static void order_add(struct local_tunnels *order, const struct encap_set *set)
{
	const struct encap_tunnel *et;
	unsigned int i;

	frr_each (encap_tunnels_const, &set->tunnels, et) {
		if (!tunnel_used(set, et))
			continue;
		for (i = 0; i < order->n; i++)
			if (sw_tunnel_same(&order->t[i].tunnel, &et->tunnel))
				break;
		if (i == order->n) {
			if (order->n == LOCAL_TUNNELS_MAX)
				return; /* refused at commit; belt and braces */
			strlcpy(order->t[order->n].security,
				encap_tunnel_security(set, et),
				sizeof(order->t[0].security));
			order->t[order->n].clear = encap_tunnel_clear(set, et);
			order->t[order->n++].tunnel = et->tunnel;
		}
		order->t[i].payload |= set->payload;
	}
}

void encap_order(struct encap_sets_head *sets, const char *announce,
		 uint8_t payload, struct local_tunnels *order)
{
	const struct encap_set *first, *set;

	memset(order, 0, sizeof(*order));
	first = encap_set_announced(sets, announce,
				    payload ? payload
					    : PAYLOAD_IPV4 | PAYLOAD_IPV6);
	if (first)
		order_add(order, first);
	frr_each (encap_sets_const, sets, set) {
		if (set == first || encap_set_missing(set))
			continue;
		if (payload && !(set->payload & payload))
			continue;
		order_add(order, set);
	}
}

bool sw_tunnel_same(const struct sw_tunnel *a, const struct sw_tunnel *b)
{
	return a->type == b->type && a->has_key == b->has_key &&
	       (!a->has_key || a->key == b->key);
}

const char *sw_tunnel_text(uint16_t type, bool has_key, uint32_t key, char *buf,
			   size_t len)
{
	if (has_key)
		snprintf(buf, len, "%s/%u", tea_type_name(type), key);
	else
		snprintf(buf, len, "%s", tea_type_name(type));
	return buf;
}

bool sw_tunnel_parse(const char *text, struct sw_tunnel *tunnel)
{
	const char *slash = strchr(text, '/');
	char name[SW_TUNNEL_TEXT_LEN], *end;
	unsigned long key;
	int type;

	memset(tunnel, 0, sizeof(*tunnel));
	if (slash) {
		if ((size_t)(slash - text) >= sizeof(name) ||
		    !isdigit((unsigned char)slash[1]))
			return false;
		strlcpy(name, text, slash - text + 1);
		errno = 0;
		key = strtoul(slash + 1, &end, 10);
		if (errno || *end || key > UINT32_MAX)
			return false;
		tunnel->has_key = true;
		tunnel->key = key;
		text = name;
	}
	type = tea_type_by_name(text);
	if (type < 0)
		return false;
	tunnel->type = type;
	return true;
}
