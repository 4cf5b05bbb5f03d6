// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a commit is refused for that concerns more than one node. A refusal
 * names the object, the cause and the remedy.
 */
#include <zebra.h>

#include "swmeshd/security/key_files.h"
#include "swmeshd/swmesh_nb.h"
#include "swmeshd/swmeshd.h"

/* ---- mesh and encap-sets ---- */

int nb_check_transit(const struct lyd_node *mesh, char *errmsg, size_t len)
{
	struct ipaddr source;
	const char *family;

	if (!yang_dnode_exists(mesh, "./transit/source")) {
		if (!yang_dnode_exists(mesh, "./transit/address-family"))
			return NB_OK;
		snprintf(
			errmsg, len,
			"softwire mesh: transit has a family but no source; name one with 'transit <ipv4|ipv6> source ADDR'");
		return NB_ERR_VALIDATION;
	}
	yang_dnode_get_ip(&source, mesh, "./transit/source");
	if (!yang_dnode_exists(mesh, "./transit/address-family"))
		family = "no family";
	else
		family =
			yang_dnode_get_string(mesh, "./transit/address-family");
	if (!strcmp(family, IS_IPADDR_V4(&source) ? "ipv4" : "ipv6"))
		return NB_OK;
	snprintfrr(
		errmsg, len,
		"softwire mesh: transit %s cannot have the %s source %pIA; name an address of the core's family",
		family, IS_IPADDR_V4(&source) ? "IPv4" : "IPv6", &source);
	return NB_ERR_VALIDATION;
}

static int check_same_tunnel(struct encap_set *set, char *errmsg, size_t len)
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
			return NB_ERR_VALIDATION;
		}
	}
	return NB_OK;
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

static int check_duplicates(struct encap_sets_head *sets, char *errmsg,
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
			return NB_ERR_VALIDATION;
		}
	}
	return NB_OK;
}

static int check_tunnel_count(struct encap_sets_head *sets, char *errmsg,
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
				return NB_ERR_VALIDATION;
			}
			seen[n++] = et->tunnel;
		}
	}
	return NB_OK;
}

static int check_announce(const struct mesh_config *config,
			  struct encap_sets_head *sets, char *errmsg,
			  size_t len)
{
	if (!config->announce[0] || encap_set_find(sets, config->announce))
		return NB_OK;
	snprintf(
		errmsg, len,
		"softwire mesh: announce encap-set %s: there is no such encap-set; configure it with 'encap-set %s', or enter 'no announce' first",
		config->announce, config->announce);
	return NB_ERR_VALIDATION;
}

static int check_sets(const struct mesh_config *config,
		      struct encap_sets_head *sets, char *errmsg, size_t len)
{
	struct encap_set *set;
	int ret;

	if (encap_sets_count(sets) > ENCAP_SETS_MAX) {
		snprintf(
			errmsg, len,
			"softwire mesh: %zu encap-sets, but %u is the most there can be; remove some",
			encap_sets_count(sets), ENCAP_SETS_MAX);
		return NB_ERR_VALIDATION;
	}
	frr_each (encap_sets, sets, set) {
		ret = check_same_tunnel(set, errmsg, len);
		if (ret != NB_OK)
			return ret;
	}
	ret = check_tunnel_count(sets, errmsg, len);
	if (ret == NB_OK)
		ret = check_duplicates(sets, errmsg, len);
	if (ret == NB_OK)
		ret = check_announce(config, sets, errmsg, len);
	return ret;
}

/* what: the line that names the address. */
static int check_outside(const struct mesh_config *config, const char *what,
			 const struct ipaddr *addr, char *errmsg, size_t len)
{
	struct prefix p = {.family = AF_INET6, .prefixlen = IPV6_MAX_BITLEN};

	if (!IS_IPADDR_V6(addr))
		return NB_OK;
	p.u.prefix6 = addr->ipaddr_v6;
	if (!prefix_match((const struct prefix *)&config->nhop_prefix, &p))
		return NB_OK;
	snprintfrr(
		errmsg, len,
		"softwire mesh: %s %pIA is inside the sw-nhop prefix %pFX, where nothing but SW-NHOPs may be; choose another prefix",
		what, addr, &config->nhop_prefix);
	return NB_ERR_VALIDATION;
}

static int check_nhop_prefix(const struct mesh_config *config, char *errmsg,
			     size_t len)
{
	const struct protect_bgp_config *protect = &config->protect_bgp;
	int ret = check_outside(config, "source", &config->source, errmsg, len);

	for (unsigned int i = 0; ret == NB_OK && i < protect->n; i++)
		ret = check_outside(config, "protect bgp neighbor",
				    &protect->neighbor[i], errmsg, len);
	return ret;
}

int nb_check_mesh(struct nb_draft *draft, char *errmsg, size_t len)
{
	int ret = check_nhop_prefix(&draft->config, errmsg, len);

	if (ret == NB_OK)
		ret = check_sets(&draft->config, &draft->sets, errmsg, len);
	return ret;
}

/* ---- securities ---- */

bool nb_security_uses(
	const struct mesh_config *config, struct encap_sets_head *sets,
	bool (*each)(const char *name, const char *user, void *arg), void *arg)
{
	const struct encap_tunnel *et;
	const struct encap_set *set;
	char user[ENCAP_NAME_LEN + 32];

	frr_each (encap_sets_const, sets, set) {
		snprintf(user, sizeof(user), "encap-set %s", set->name);
		if (set->security[0] && !each(set->security, user, arg))
			return false;
		frr_each (encap_tunnels_const, &set->tunnels, et) {
			if (!et->security[0] ||
			    !strcmp(et->security, SECURITY_NONE))
				continue;
			snprintf(user, sizeof(user), "encap-set %s: tunnel %u",
				 set->name, et->preference);
			if (!each(et->security, user, arg))
				return false;
		}
	}
	return !config->protect_bgp.security[0] ||
	       each(config->protect_bgp.security, "protect bgp", arg);
}

static bool other_name(const char *name, const char *user, void *arg)
{
	return strcmp(name, arg) != 0;
}

bool nb_security_used(const struct mesh_config *config,
		      struct encap_sets_head *sets, const char *name)
{
	return !nb_security_uses(config, sets, other_name, (void *)name);
}

bool nb_security_works(const char *name)
{
	const struct security *s = security_find(&swmesh->securities, name);

	return s && !s->error[0];
}

struct check {
	struct nb_draft *draft;
	enum nb_commit kind;
	const struct security *first; /* of those in use */
	char *errmsg;
	size_t len;
};

static bool check_name(const char *name, const char *user, void *arg)
{
	struct check *c = arg;
	const struct security *s = security_find(&c->draft->securities, name);
	const char *missing;

	if (c->kind == NB_COMMIT_BLOCK && !nb_security_works(name))
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

int nb_check_security_names(struct nb_draft *draft, enum nb_commit kind,
			    char *errmsg, size_t len)
{
	struct check c = {
		.draft = draft, .kind = kind, .errmsg = errmsg, .len = len};
	struct security *s;

	frr_each (securities, &draft->securities, s)
		if (!check_words(s, errmsg, len))
			return NB_ERR_VALIDATION;
	return nb_security_uses(&draft->config, &draft->sets, check_name, &c)
		       ? NB_OK
		       : NB_ERR_VALIDATION;
}

struct type_use {
	const struct encap_set *set;
	const struct encap_tunnel *et;
};

/* Our endpoint's drop policies are by protocol (S9), and an SA carries all of
 * it (S6): two tunnels of one type cannot be protected differently. */
static int check_type(struct type_use *first, unsigned int *n,
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
		return NB_OK;
	}
	other = encap_tunnel_security(first[i].set, first[i].et);
	if (!strcmp(name, other))
		return NB_OK;
	snprintf(
		errmsg, len,
		"encap-set %s: tunnel %u has security %s, but tunnel %u of encap-set %s, which is %s too, has %s; name the same one for both",
		set->name, et->preference, name[0] ? name : SECURITY_NONE,
		first[i].et->preference, first[i].set->name,
		tea_type_name(et->tunnel.type),
		other[0] ? other : SECURITY_NONE);
	return NB_ERR_VALIDATION;
}

static int check_types(struct nb_draft *draft, char *errmsg, size_t len)
{
	struct type_use first[LOCAL_TUNNELS_MAX];
	const struct encap_tunnel *et;
	const struct encap_set *set;
	unsigned int n = 0;
	int ret = NB_OK;

	/* check_tunnel_count() sees to it that first[] suffices. */
	frr_each (encap_sets_const, &draft->sets, set)
		frr_each (encap_tunnels_const, &set->tunnels, et)
			if (ret == NB_OK)
				ret = check_type(first, &n, set, et, errmsg,
						 len);
	return ret;
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

static int check_protect_bgp(struct nb_draft *draft, char *errmsg, size_t len)
{
	const struct protect_bgp_config *protect = &draft->config.protect_bgp;
	const struct security *s;

	s = security_find(&draft->securities, protect->security);
	if (!protect->n || !s || s->method != IKE_METHOD_RAW)
		return NB_OK;
	snprintfrr(
		errmsg, len,
		"protect bgp neighbor %pIA: security %s is of raw keys, which are known only once BGP has announced them; use one with 'ike group-psk' or 'ike pki', or leave the neighbor out",
		&protect->neighbor[0], s->name);
	return NB_ERR_VALIDATION;
}

/* With several long keys, and RFC 5566's types besides, a set can come to more
 * than bgpd's module takes. */
static int check_size(struct nb_draft *draft, char *errmsg, size_t len)
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
		return NB_ERR_VALIDATION;
	}
	return NB_OK;
}

int nb_check_security_uses(struct nb_draft *draft, char *errmsg, size_t len)
{
	struct check c = {.draft = draft, .errmsg = errmsg, .len = len};
	int ret;

	ret = check_types(draft, errmsg, len);
	if (ret == NB_OK &&
	    !nb_security_uses(&draft->config, &draft->sets, check_ike, &c))
		ret = NB_ERR_VALIDATION;
	if (ret == NB_OK)
		ret = check_protect_bgp(draft, errmsg, len);
	if (ret == NB_OK)
		ret = check_size(draft, errmsg, len);
	return ret;
}
