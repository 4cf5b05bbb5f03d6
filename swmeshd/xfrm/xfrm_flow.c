// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What protects a packet: what the kernel would do with it (net/xfrm of Linux).
 * Of all policies whose selector covers it the one with the lowest priority
 * decides. If that one has a template which is not optional, a packet goes out
 * through an SA of its request id or not at all, and comes in from such an SA
 * or not at all.
 */
#include <zebra.h>

#include "swmeshd/xfrm/xfrm_view.h"

/* Packets one way. */
struct flow {
	uint8_t dir; /* XFRM_POLICY_OUT or _IN */
	uint16_t family;
	xfrm_address_t src, dst;
	uint8_t protocol;
	uint16_t sport, dport; /* network byte order; 0: any */
};

static bool prefix_covers(uint16_t family, const xfrm_address_t *net,
			  unsigned int len, const xfrm_address_t *addr)
{
	const uint8_t *n = (const uint8_t *)net, *a = (const uint8_t *)addr;
	unsigned int octets = len / 8, bits = len % 8;

	if (len > (family == AF_INET ? 32u : 128u))
		return false;
	return !memcmp(n, a, octets) &&
	       (!bits || !((n[octets] ^ a[octets]) >> (8 - bits)));
}

/* All packets of the flow, or none: S7 has no selector in between. */
static bool selector_covers(const struct xfrm_selector *sel,
			    const struct flow *flow)
{
	return sel->family == flow->family &&
	       (!sel->proto || sel->proto == flow->protocol) &&
	       (!sel->sport_mask || sel->sport == flow->sport) &&
	       (!sel->dport_mask || sel->dport == flow->dport) &&
	       prefix_covers(sel->family, &sel->saddr, sel->prefixlen_s,
			     &flow->src) &&
	       prefix_covers(sel->family, &sel->daddr, sel->prefixlen_d,
			     &flow->dst);
}

static bool tmpls_protect(const struct view_policy *p)
{
	if (p->action != XFRM_POLICY_ALLOW || !p->n || p->n > VIEW_TMPLS_MAX)
		return false;
	for (unsigned int i = 0; i < p->n; i++)
		if ((p->tmpl[i].protocol != IPPROTO_ESP &&
		     p->tmpl[i].protocol != IPPROTO_AH) ||
		    p->tmpl[i].mode != XFRM_MODE_TRANSPORT)
			return false;
	return true;
}

static const struct view_policy *
best_policy(const struct view_policies_head *list, const struct flow *flow,
	    const struct view_policy *best)
{
	const struct view_policy *p;

	frr_each (view_policies_const, list, p) {
		if (p->dir != flow->dir || !selector_covers(&p->sel, flow))
			continue;
		/* Of two alike the kernel takes the older one, which is not
		 * known here: expect the worse. */
		if (!best || p->priority < best->priority ||
		    (p->priority == best->priority && !tmpls_protect(p)))
			best = p;
	}
	return best;
}

/* The policy that decides, if it protects; NULL otherwise. */
static const struct view_policy *
protecting(const struct view_policies_head *of_pair, const struct flow *flow)
{
	const struct view_policy *p;

	p = best_policy(of_pair, flow, NULL);
	p = best_policy(view_wide_policies(), flow, p);
	return p && tmpls_protect(p) ? p : NULL;
}

static bool sa_serves(const struct view_sa *s, const struct view_tmpl *t,
		      const struct flow *flow)
{
	xfrm_address_t dst;

	view_put_address(&s->sa.dst, &dst);
	if (memcmp(&dst, &flow->dst, sizeof(dst)) ||
	    s->sa.protocol != t->protocol || s->mode != t->mode ||
	    (t->spi && s->sa.spi != t->spi))
		return false;
	if (s->sa.reqid != t->reqid &&
	    (flow->dir == XFRM_POLICY_OUT || t->reqid))
		return false;
	return !s->sel.family || selector_covers(&s->sel, flow);
}

/* SAs of the template that has fewest; *spi: of the newest. */
static unsigned int count_sas(const struct view_sas_head *sas,
			      const struct view_policy *p,
			      const struct flow *flow, uint32_t *spi)
{
	const struct view_sa *s;
	unsigned int least = UINT_MAX;

	for (unsigned int i = 0; i < p->n; i++) {
		unsigned int n = 0;

		frr_each (view_sas_const, sas, s) {
			if (!sa_serves(s, &p->tmpl[i], flow))
				continue;
			n++;
			*spi = s->sa.spi;
		}
		least = MIN(least, n);
	}
	return least;
}

static void flow_ends(struct flow *flow, const struct ipaddr *src,
		      uint16_t sport, const struct ipaddr *dst, uint16_t dport)
{
	flow->family = view_put_address(src, &flow->src);
	view_put_address(dst, &flow->dst);
	flow->sport = htons(sport);
	flow->dport = htons(dport);
}

bool view_child(const struct ipaddr *local, const struct ipaddr *remote,
		uint8_t protocol, uint16_t local_port, uint16_t remote_port,
		struct xfrm_child *out)
{
	const struct view_policies_head *policies =
		view_pair_policies(local, remote);
	const struct view_sas_head *sas = view_pair_sas(local, remote);
	struct flow flow = {.protocol = protocol};
	const struct view_policy *p;

	memset(out, 0, sizeof(*out));
	if (!policies || !sas || local->ipa_type != remote->ipa_type)
		return false;
	flow.dir = XFRM_POLICY_OUT;
	flow_ends(&flow, local, local_port, remote, remote_port);
	p = protecting(policies, &flow);
	out->out_policy = p != NULL;
	if (p) {
		out->reqid = p->tmpl[0].reqid;
		out->protocol = p->tmpl[0].protocol;
		out->n_out = count_sas(sas, p, &flow, &out->spi_out);
	}

	flow.dir = XFRM_POLICY_IN;
	flow_ends(&flow, remote, remote_port, local, local_port);
	p = protecting(policies, &flow);
	out->in_policy = p != NULL;
	if (p)
		out->n_in = count_sas(sas, p, &flow, &out->spi_in);
	return out->n_out && out->n_in;
}
