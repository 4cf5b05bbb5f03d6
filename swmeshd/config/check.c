// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a configuration is refused for as a whole. A refusal
 * names the object, the cause and the remedy.
 */
#include <zebra.h>

#include "swmeshd/config/check.h"
#include "swmeshd/swmeshd.h"

/* ---- mesh and encap-sets ---- */

static bool check_same_tunnel(struct encap_set *set, char *errmsg, size_t len)
{
	struct encap_tunnel *a, *b;
	char text[SW_TUNNEL_TEXT_LEN];

	frr_each (encap_tunnels, &set->tunnels, a) {
		frr_each (encap_tunnels, &set->tunnels, b) {
			if (a == b || !sw_tunnel_same(&a->tunnel, &b->tunnel))
				continue;
			snprintf(
				errmsg, len,
				"encap-set %s: tunnels %u and %u are both %s; remove one with 'no tunnel %u' or give it another key",
				set->name, a->preference, b->preference,
				sw_tunnel_text(a->tunnel.type,
					       a->tunnel.has_key, a->tunnel.key,
					       text, sizeof(text)),
				b->preference);
			return false;
		}
	}
	return true;
}

/* Same tunnels in the same order and the same payload: announced, the two
 * could not be told apart. */
static bool same_set(struct encap_set *a, struct encap_set *b)
{
	struct encap_tunnel *ta, *tb;

	if (encap_set_missing(a) || encap_set_missing(b) ||
	    a->payload != b->payload ||
	    encap_tunnels_count(&a->tunnels) !=
		    encap_tunnels_count(&b->tunnels))
		return false;
	tb = encap_tunnels_first(&b->tunnels);
	frr_each (encap_tunnels, &a->tunnels, ta) {
		if (!sw_tunnel_same(&ta->tunnel, &tb->tunnel))
			return false;
		tb = encap_tunnels_next(&b->tunnels, tb);
	}
	return true;
}

static bool check_duplicates(struct encap_sets_head *sets, char *errmsg,
			     size_t len)
{
	struct encap_set *a, *b;

	frr_each (encap_sets, sets, a) {
		for (b = encap_sets_next(sets, a); b;
		     b = encap_sets_next(sets, b)) {
			if (!same_set(a, b))
				continue;
			snprintf(
				errmsg, len,
				"encap-set %s: same tunnels and payload as encap-set %s; use that one, or change a tunnel, a key or the payload",
				b->name, a->name);
			return false;
		}
	}
	return true;
}

static bool check_tunnel_count(struct encap_sets_head *sets, char *errmsg,
			       size_t len)
{
	struct sw_tunnel seen[LOCAL_TUNNELS_MAX];
	struct encap_tunnel *et;
	struct encap_set *set;
	unsigned int n = 0, i;

	frr_each (encap_sets, sets, set) {
		frr_each (encap_tunnels, &set->tunnels, et) {
			for (i = 0; i < n; i++)
				if (sw_tunnel_same(&seen[i], &et->tunnel))
					break;
			if (i < n)
				continue;
			if (n == LOCAL_TUNNELS_MAX) {
				snprintf(
					errmsg, len,
					"encap-set %s: tunnel %u would be the %uth different one of this mesh, which makes a device per remote AFBR each; remove some",
					set->name, et->preference, n + 1);
				return false;
			}
			seen[n++] = et->tunnel;
		}
	}
	return true;
}

static bool check_announce(const struct mesh_config *config,
			   struct encap_sets_head *sets, char *errmsg,
			   size_t len)
{
	if (!config->announce[0] || encap_set_find(sets, config->announce))
		return true;
	snprintf(
		errmsg, len,
		"softwire mesh: announce encap-set %s: there is no such encap-set; configure it with 'encap-set %s', or enter 'no announce' first",
		config->announce, config->announce);
	return false;
}

static bool check_sets(const struct mesh_config *config,
		       struct encap_sets_head *sets, char *errmsg, size_t len)
{
	struct encap_set *set;

	if (encap_sets_count(sets) > ENCAP_SETS_MAX) {
		snprintf(
			errmsg, len,
			"softwire mesh: %zu encap-sets, but %u is the most there can be; remove some",
			encap_sets_count(sets), ENCAP_SETS_MAX);
		return false;
	}
	frr_each (encap_sets, sets, set)
		if (!check_same_tunnel(set, errmsg, len))
			return false;
	return check_tunnel_count(sets, errmsg, len) &&
	       check_duplicates(sets, errmsg, len) &&
	       check_announce(config, sets, errmsg, len);
}

/* what: the line that names the address. */
static bool check_outside(const struct mesh_config *config, const char *what,
			  const struct ipaddr *addr, char *errmsg, size_t len)
{
	struct prefix p = {.family = AF_INET6, .prefixlen = IPV6_MAX_BITLEN};

	if (!IS_IPADDR_V6(addr))
		return true;
	p.u.prefix6 = addr->ipaddr_v6;
	if (!prefix_match((const struct prefix *)&config->nhop_prefix, &p))
		return true;
	snprintfrr(
		errmsg, len,
		"softwire mesh: %s %pIA is inside the sw-nhop prefix %pFX, where nothing but SW-NHOPs may be; choose another prefix",
		what, addr, &config->nhop_prefix);
	return false;
}

static bool check_nhop_prefix(const struct mesh_config *config, char *errmsg,
			      size_t len)
{
	const struct protect_bgp_config *protect = &config->protect_bgp;
	bool ok = check_outside(config, "source", &config->source, errmsg, len);

	for (unsigned int i = 0; ok && i < protect->n; i++)
		ok = check_outside(config, "protect bgp neighbor",
				   &protect->neighbor[i], errmsg, len);
	return ok;
}

bool check_mesh(struct draft *draft, char *errmsg, size_t len)
{
	return check_nhop_prefix(&draft->config, errmsg, len) &&
	       check_sets(&draft->config, &draft->sets, errmsg, len);
}

/* ---- securities ---- */

bool check_security_works(const char *name)
{
	const struct security *s = security_find(&swmesh->securities, name);

	return s && !s->error[0];
}

struct check {
	struct draft *draft;
	enum commit_kind kind;
	const struct security *first; /* of those in use */
	char *errmsg;
	size_t len;
};

static bool check_name(const char *name, const char *user, void *arg)
{
	struct check *c = arg;
	const struct security *s = security_find(&c->draft->securities, name);
	const char *missing;

	if (c->kind == COMMIT_BLOCK && !check_security_works(name))
		return true;
	if (!s) {
		snprintf(
			c->errmsg, c->len,
			"%s: there is no security %s; configure it with 'security %s' under 'softwire mesh' first",
			user, name, name);
		return false;
	}
	missing = security_missing(s);
	if (!missing)
		return true;
	snprintf(c->errmsg, c->len, "security %s, which %s uses: %s", name,
		 user, missing);
	return false;
}

/* The commands have checked them before; other clients have not. */
static bool check_words(const struct security *s, char *errmsg, size_t len)
{
	char why[768] = "";
	unsigned int i;

	for (i = 0; !why[0] && i < s->ike.n; i++)
		if (!security_ike_word_ok(s->ike.word[i], why, sizeof(why)))
			snprintf(errmsg, len, "security %s: ike proposal: %s",
				 s->name, why);
	for (i = 0; !why[0] && i < s->ipsec.n; i++)
		if (!security_ipsec_word_ok(s->protocol, s->ipsec.word[i], why,
					    sizeof(why)))
			snprintf(errmsg, len, "security %s: %s: %s", s->name,
				 s->protocol == IPSEC_AH ? "ah" : "esp", why);
	return !why[0];
}

bool check_security_names(struct draft *draft, enum commit_kind kind,
			  char *errmsg, size_t len)
{
	struct check c = {
		.draft = draft, .kind = kind, .errmsg = errmsg, .len = len};
	struct security *s;

	frr_each (securities, &draft->securities, s)
		if (!check_words(s, errmsg, len))
			return false;
	return config_security_uses(&draft->config, &draft->sets, check_name,
				    &c);
}

struct type_use {
	const struct encap_set *set;
	const struct encap_tunnel *et;
};

/* Our endpoint's drop policies are by protocol (S9), and an SA carries all of
 * it (S6): two tunnels of one type cannot be protected differently. */
static bool check_type(struct type_use *first, unsigned int *n,
		       const struct encap_set *set,
		       const struct encap_tunnel *et, char *errmsg, size_t len)
{
	const char *name = encap_tunnel_security(set, et), *other;
	unsigned int i;

	for (i = 0; i < *n; i++)
		if (first[i].et->tunnel.type == et->tunnel.type)
			break;
	if (i == *n) {
		first[i].set = set;
		first[i].et = et;
		*n += 1;
		return true;
	}
	other = encap_tunnel_security(first[i].set, first[i].et);
	if (!strcmp(name, other))
		return true;
	snprintf(
		errmsg, len,
		"encap-set %s: tunnel %u has security %s, but tunnel %u of encap-set %s, which is %s too, has %s; name the same one for both",
		set->name, et->preference, name[0] ? name : SECURITY_NONE,
		first[i].et->preference, first[i].set->name,
		tea_type_name(et->tunnel.type),
		other[0] ? other : SECURITY_NONE);
	return false;
}

static bool check_types(struct draft *draft, char *errmsg, size_t len)
{
	struct type_use first[LOCAL_TUNNELS_MAX];
	const struct encap_tunnel *et;
	const struct encap_set *set;
	unsigned int n = 0;
	bool ok = true;

	/* check_tunnel_count() sees to it that first[] suffices. */
	frr_each (encap_sets_const, &draft->sets, set)
		frr_each (encap_tunnels_const, &set->tunnels, et)
			ok = ok && check_type(first, &n, set, et, errmsg, len);
	return ok;
}

static bool check_ike(const char *name, const char *user, void *arg)
{
	struct check *c = arg;
	const struct security *s = security_find(&c->draft->securities, name);

	if (!s || s == c->first)
		return true;
	if (!c->first) {
		c->first = s;
		return true;
	}
	if (security_same_ike(c->first, s))
		return true;
	snprintf(
		c->errmsg, c->len,
		"%s: security %s has other 'ike' lines than security %s, which is in use: one IKE SA serves all softwires to an AFBR; make them the same (esp, ah and rekey sa may differ)",
		user, name, c->first->name);
	return false;
}

static bool check_protect_bgp(struct draft *draft, char *errmsg, size_t len)
{
	const struct protect_bgp_config *protect = &draft->config.protect_bgp;
	const struct security *s;

	s = security_find(&draft->securities, protect->security);
	if (!protect->n || !s || s->method != IKE_METHOD_RAW)
		return true;
	snprintfrr(
		errmsg, len,
		"protect bgp neighbor %pIA: security %s is of raw keys, which are known only once BGP has announced them; use one with 'ike group-psk' or 'ike pki', or leave the neighbor out",
		&protect->neighbor[0], s->name);
	return false;
}

/* With several long keys, and RFC 5566's types besides, a set can come to more
 * than bgpd's module takes. */
static bool check_size(struct draft *draft, char *errmsg, size_t len)
{
	static const struct ipaddr endpoint = {
		.ipa_type = IPADDR_V6,
		.ipaddr_v6 = {.s6_addr = {0x20}},
	};
	const struct encap_set *set;
	uint8_t buf[ENCAP_TEA_MAX];

	frr_each (encap_sets_const, &draft->sets, set) {
		if (encap_set_compile(set, &draft->securities, &endpoint, buf,
				      sizeof(buf)) >= 0)
			continue;
		snprintf(
			errmsg, len,
			"encap-set %s: with the public keys its attribute is longer than %u octets; announce fewer keys ('no ike raw-key announce-key'), use Ed25519 keys, or remove tunnels",
			set->name, ENCAP_TEA_MAX);
		return false;
	}
	return true;
}

bool check_security_uses(struct draft *draft, char *errmsg, size_t len)
{
	struct check c = {.draft = draft, .errmsg = errmsg, .len = len};

	return check_types(draft, errmsg, len) &&
	       config_security_uses(&draft->config, &draft->sets, check_ike,
				    &c) &&
	       check_protect_bgp(draft, errmsg, len) &&
	       check_size(draft, errmsg, len);
}
