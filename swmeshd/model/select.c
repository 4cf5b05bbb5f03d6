// SPDX-License-Identifier: GPL-2.0-or-later
/* The choice of the tunnel to send by; see model/select.h. */
#include <zebra.h>

#include "swmeshd/model/select.h"

static const char *payload_text(uint8_t payload)
{
	if (payload == (PAYLOAD_IPV4 | PAYLOAD_IPV6))
		return "ipv4 and ipv6";
	return payload == PAYLOAD_IPV6 ? "ipv6" : "ipv4";
}

static bool allows(const struct tea_tunnel *tt, uint8_t payload)
{
	if ((payload & PAYLOAD_IPV4) &&
	    !tea_tunnel_allows(tt, TEA_ETHERTYPE_IPV4))
		return false;
	return !(payload & PAYLOAD_IPV6) ||
	       tea_tunnel_allows(tt, TEA_ETHERTYPE_IPV6);
}

static struct afbr *linked_afbr(const struct demand *demand,
				const struct ipaddr *ep)
{
	for (unsigned int i = 0; i < demand->n_refs; i++)
		if (!ipaddr_cmp(&demand->refs[i].afbr->addr, ep))
			return demand->refs[i].afbr;
	return NULL;
}

/* Why this TLV cannot be used whatever tunnels we have; empty: it can. */
static void check_tlv(const struct demand *demand, const struct tea_tunnel *tt,
		      uint8_t payload, struct candidate *c)
{
	const struct mesh *mesh = demand->mesh;
	size_t len = sizeof(c->reason);

	if (!tt->usable) {
		tea_tunnel_reason(tt, c->reason, len);
		return;
	}
	if (!tunnel_endpoint(tt, &demand->next_hop, &c->endpoint)) {
		strlcpy(c->reason, "names no endpoint", len);
		return;
	}
	if (c->endpoint.ipa_type != mesh->local_source.ipa_type) {
		snprintfrr(c->reason, len,
			   "endpoint %pIA is not in our transit core (%s)",
			   &c->endpoint,
			   IS_IPADDR_V4(&mesh->local_source) ? "ipv4" : "ipv6");
		return;
	}
	if (!ipaddr_cmp(&c->endpoint, &mesh->local_source)) {
		snprintfrr(c->reason, len, "endpoint %pIA is our own address",
			   &c->endpoint);
		return;
	}
	if (!allows(tt, payload))
		snprintf(c->reason, len, "does not carry %s (Protocol Type)",
			 payload_text(payload));
}

/* NULL: there are too many; else it has a reason, or has to be looked at
 * further. */
static struct candidate *add(const struct demand *demand,
			     const struct tea_tunnel *tt, uint8_t payload,
			     struct selection *sel)
{
	struct candidate *c;

	if (sel->n == SELECT_CANDIDATES_MAX)
		return NULL;
	c = &sel->c[sel->n++];
	memset(c, 0, sizeof(*c));
	c->type = tt->type;
	c->has_key = tea_tunnel_gre_key(tt, &c->key);
	check_tlv(demand, tt, payload, c);
	return c;
}

/* The softwire by which this TLV would be used. */
static void check_softwire(const struct demand *demand,
			   const struct tea_tunnel *tt,
			   const struct local_tunnel *local, uint8_t payload,
			   struct candidate *c)
{
	struct afbr *afbr = linked_afbr(demand, &c->endpoint);
	char text[SW_TUNNEL_TEXT_LEN];
	size_t len = sizeof(c->reason);

	if (payload & ~local->payload) {
		snprintf(c->reason, len,
			 "no encap-set of ours carries %s by %s",
			 payload_text(payload & ~local->payload),
			 sw_tunnel_text(local->tunnel.type,
					local->tunnel.has_key,
					local->tunnel.key, text, sizeof(text)));
		return;
	}
	if (tunnel_wants_ipsec(tt) && !local->security[0]) {
		/* RFC 5566: nothing may go there in clear (S6). */
		strlcpy(c->reason, clear_refusal_reason(CLEAR_ASKED), len);
		return;
	}
	c->sw = afbr ? afbr_softwire(afbr, &local->tunnel) : NULL;
	if (!afbr && demand->cut) {
		snprintfrr(
			c->reason, len,
			"more than %u AFBRs: %pIA is left out until another one goes",
			MESH_AFBRS_MAX, &c->endpoint);
		return;
	}
	if (!c->sw) {
		snprintfrr(c->reason, len,
			   "too many endpoints: %pIA is left out",
			   &c->endpoint);
		return;
	}
	if (c->sw->peer_has && (c->sw->has_okey != c->has_key ||
				(c->has_key && c->sw->okey != c->key))) {
		snprintfrr(
			c->reason, len,
			"softwire to %pIA already sends with %s; announce one more gre tunnel under the encap-set to use both",
			&c->endpoint,
			sw_tunnel_text(c->sw->tunnel.type, c->sw->has_okey,
				       c->sw->okey, text, sizeof(text)));
		return;
	}
	if (c->sw->state == SOFTWIRE_UP) {
		c->feasible = true;
		return;
	}
	c->pending =
		c->sw->state == SOFTWIRE_WAIT_DEVICE ||
		(c->sw->state == SOFTWIRE_WAIT_FILTER && !c->sw->error[0]) ||
		(c->sw->state == SOFTWIRE_WAIT_ENDPOINT &&
		 (!demand->mesh->source_known || !afbr->path.known));
	softwire_reason(c->sw, c->reason, len);
}

static bool order_has_type(const struct local_tunnels *order, uint16_t type)
{
	for (unsigned int i = 0; i < order->n; i++)
		if (order->t[i].tunnel.type == tunnel_base_type(type))
			return true;
	return false;
}

static void look_at_local(const struct demand *demand,
			  const struct local_tunnel *local, uint8_t payload,
			  struct selection *sel)
{
	for (size_t i = 0; i < demand->tea.n_tunnels; i++) {
		const struct tea_tunnel *tt = &demand->tea.tunnels[i];
		struct candidate *c;

		if (tt->removed ||
		    tunnel_base_type(tt->type) != local->tunnel.type)
			continue;
		c = add(demand, tt, payload, sel);
		if (!c)
			return;
		if (!c->reason[0])
			check_softwire(demand, tt, local, payload, c);
	}
}

/* The first feasible one; n if there is none. What comes before it and is not
 * known yet may still turn out better. */
static unsigned int choose(struct selection *sel)
{
	for (unsigned int i = 0; i < sel->n; i++) {
		if (sel->c[i].feasible)
			return i;
		sel->pending |= sel->c[i].pending;
	}
	return sel->n;
}

/* TLVs of types that we do not announce, only for their reasons. */
static void look_at_rest(const struct demand *demand,
			 const struct local_tunnels *order, uint8_t payload,
			 struct selection *sel)
{
	for (size_t i = 0; i < demand->tea.n_tunnels; i++) {
		const struct tea_tunnel *tt = &demand->tea.tunnels[i];
		struct candidate *c;

		if (tt->removed || order_has_type(order, tt->type))
			continue;
		c = add(demand, tt, payload, sel);
		if (!c)
			return;
		if (!c->reason[0])
			snprintf(c->reason, sizeof(c->reason),
				 "no encap-set of ours announces it%s%s",
				 payload ? " for " : "",
				 payload ? payload_text(payload) : "");
	}
}

void select_tunnel(const struct demand *demand, struct selection *out)
{
	const struct mesh *mesh = demand->mesh;
	uint8_t payload = demand_payload(demand);
	const struct local_tunnels *order = &mesh->local;

	if (payload)
		order = payload & PAYLOAD_IPV4 ? &mesh->order_ipv4
					       : &mesh->order_ipv6;
	memset(out, 0, offsetof(struct selection, c));
	for (unsigned int i = 0; i < order->n; i++) {
		const struct local_tunnel *local =
			mesh_local_tunnel(mesh, &order->t[i].tunnel);

		if (local)
			look_at_local(demand, local, payload, out);
	}
	look_at_rest(demand, order, payload, out);
	out->chosen = choose(out);
}

static size_t candidate_text(const struct candidate *c, char *buf, size_t len)
{
	if (c->has_key)
		return snprintf(buf, len, "%s/%u: %s", tea_type_name(c->type),
				c->key, c->reason);
	return snprintf(buf, len, "%s(%u): %s", tea_type_name(c->type), c->type,
			c->reason);
}

const char *selection_reason(const struct demand *demand,
			     const struct selection *sel, char *buf, size_t len)
{
	size_t at;

	if (demand->refused) {
		strlcpy(buf, demand->refused, len);
		return buf;
	}
	if (IS_IPADDR_NONE(&demand->mesh->local_source)) {
		strlcpy(buf, "no transit source is configured", len);
		return buf;
	}
	if (demand->tea.verdict != TEA_ACCEPT)
		return tea_reason(&demand->tea, buf, len);
	at = strlcpy(buf, "no feasible tunnel", len);
	for (unsigned int i = 0; i < sel->n && at < len; i++) {
		at += snprintf(buf + at, len - at, "%s", i ? "; " : ": ");
		if (at < len)
			at += candidate_text(&sel->c[i], buf + at, len - at);
	}
	return buf;
}
