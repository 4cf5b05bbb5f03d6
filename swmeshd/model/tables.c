// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding and marking the model's objects, and what needs no more than that:
 * below all the other files of the model.
 */
#include <zebra.h>

#include "jhash.h"
#include "monotime.h"
#include "printfrr.h"

#include "swmeshd/model/model.h"
#include "swmeshd/swmeshd.h"

/* ---- finding ---- */

int afbr_cmp(const struct afbr *a, const struct afbr *b)
{
	return ipaddr_cmp(&a->addr, &b->addr);
}

uint32_t afbr_hash(const struct afbr *a)
{
	return jhash(&a->addr.ip, IS_IPADDR_V4(&a->addr) ? 4 : 16, 0x53574d41);
}

int demand_cmp(const struct demand *a, const struct demand *b)
{
	return memcmp(&a->sw_nhop, &b->sw_nhop, sizeof(a->sw_nhop));
}

uint32_t demand_hash(const struct demand *a)
{
	return jhash(&a->sw_nhop, sizeof(a->sw_nhop), 0x53574d44);
}

struct afbr *afbr_find(struct mesh *mesh, const struct ipaddr *addr)
{
	struct afbr ref = {.addr = *addr};

	return afbr_table_find(&mesh->afbrs, &ref);
}

struct demand *demand_find(struct mesh *mesh, const struct in6_addr *sw_nhop)
{
	struct demand ref = {.sw_nhop = *sw_nhop};

	return demand_table_find(&mesh->demands, &ref);
}

struct softwire *afbr_softwire(struct afbr *afbr,
			       const struct sw_tunnel *tunnel)
{
	struct softwire *sw;

	frr_each (afbr_softwires, &afbr->softwires, sw)
		if (sw_tunnel_same(&sw->tunnel, tunnel))
			return sw;
	return NULL;
}

const struct local_tunnel *mesh_local_tunnel(const struct mesh *mesh,
					     const struct sw_tunnel *tunnel)
{
	for (unsigned int i = 0; i < mesh->local.n; i++)
		if (sw_tunnel_same(&mesh->local.t[i].tunnel, tunnel))
			return &mesh->local.t[i];
	return NULL;
}

uint8_t mesh_local_payload(const struct mesh *mesh,
			   const struct sw_tunnel *tunnel)
{
	const struct local_tunnel *local = mesh_local_tunnel(mesh, tunnel);

	return local ? local->payload : 0;
}

/* ---- marking ---- */

void afbr_mark_dirty(struct afbr *afbr)
{
	if (afbr->dirty)
		return;
	afbr->dirty = true;
	afbr_dirty_add_tail(&afbr->mesh->dirty_afbrs, afbr);
	afbr->mesh->ops->schedule(afbr->mesh);
}

void afbr_mark_demands(struct afbr *afbr)
{
	struct afbr_ref *ref;

	frr_each (afbr_refs, &afbr->refs, ref)
		demand_mark_dirty(ref->demand);
}

void demand_mark_dirty(struct demand *demand)
{
	if (demand->dirty)
		return;
	demand->dirty = true;
	demand_dirty_add_tail(&demand->mesh->dirty_demands, demand);
	demand->mesh->ops->schedule(demand->mesh);
}

/* ---- what a tlv says ---- */

uint16_t tunnel_base_type(uint16_t type)
{
	const struct encap *encap = encap_find(type);

	return encap ? encap->type : type;
}

bool tunnel_wants_ipsec(const struct tea_tunnel *tt)
{
	return tunnel_base_type(tt->type) != tt->type ||
	       tea_tunnel_next(tt, TEA_SUB_AUTHENTICATOR, NULL) ||
	       tea_tunnel_is_protected(tt);
}

bool tunnel_endpoint(const struct tea_tunnel *tt, const struct ipaddr *next_hop,
		     struct ipaddr *out)
{
	memset(out, 0, sizeof(*out));
	if (!TEA_HAS(tt, TEA_SUB_ENDPOINT) ||
	    tt->endpoint.family == TEA_AF_NONE) {
		*out = *next_hop;
	} else if (tt->endpoint.family == TEA_AF_IPV4) {
		SET_IPADDR_V4(out);
		out->ipaddr_v4 = tt->endpoint.v4;
	} else if (tt->endpoint.family == TEA_AF_IPV6) {
		SET_IPADDR_V6(out);
		out->ipaddr_v6 = tt->endpoint.v6;
	}
	if (IS_IPADDR_V6(out) && IN6_IS_ADDR_V4MAPPED(&out->ipaddr_v6)) {
		struct in_addr v4;

		memcpy(&v4, &out->ipaddr_v6.s6_addr[12], sizeof(v4));
		memset(out, 0, sizeof(*out));
		SET_IPADDR_V4(out);
		out->ipaddr_v4 = v4;
	}
	return !IS_IPADDR_NONE(out);
}

/* ---- what is known of an afbr, of a demand ---- */

bool afbr_held(const struct afbr *afbr)
{
	return afbr->held_until > monotime(NULL);
}

bool afbr_usable(const struct afbr *afbr)
{
	return afbr->mesh->source_ok && afbr->path.known &&
	       afbr->path.reachable && !afbr->path.recursive &&
	       afbr->path.fault.verdict == TRANSIT_CORE && !afbr_held(afbr);
}

const char *afbr_reason(const struct afbr *afbr, char *buf, size_t len)
{
	const struct mesh *mesh = afbr->mesh;

	if (!mesh->source_known)
		snprintf(buf, len, "zebra has not told our addresses yet");
	else if (!mesh->source_ok)
		snprintfrr(
			buf, len,
			"waiting for our address %pIA: it is on no interface",
			&mesh->config.source);
	else if (!afbr->path.known)
		snprintf(buf, len,
			 "zebra has not told the way to the endpoint yet");
	else if (afbr->path.recursive || afbr_held(afbr))
		snprintfrr(
			buf, len,
			"the way to %pIA leads through a softwire (%s): mutual recursion; keep the endpoint out of the routes that use it",
			&afbr->addr, afbr->path.via);
	else if (!afbr->path.reachable)
		snprintfrr(buf, len, "no route to endpoint %pIA", &afbr->addr);
	else
		transit_reason(&mesh->config.transit, &afbr->path.fault,
			       &afbr->addr, buf, len);
	return buf;
}

uint8_t demand_payload(const struct demand *demand)
{
	return (demand->routes_ipv4 ? PAYLOAD_IPV4 : 0) |
	       (demand->routes_ipv6 ? PAYLOAD_IPV6 : 0);
}

const char *clear_refusal_reason(enum clear_refusal why)
{
	static const char *const reasons[] = {
		[CLEAR_OK] = "",
		[CLEAR_ASKED] =
			"the AFBR asks for IPsec and our tunnel has none; name a 'security' in the encap-set",
		[CLEAR_HISTORY] =
			"the AFBR was protected before and our tunnel has no security any more; name it in the encap-set, or 'security none' if that is meant",
	};

	return reasons[why];
}
