// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration: what a commit is refused for, and how a commit becomes the
 * model's configuration. A refusal names the object, the cause and the remedy,
 * and concerns the whole transaction, so nothing is applied in part.
 *
 * Once a commit is accepted the configuration is read as a whole
 * (swmesh_nb_mesh_apply_finish): the model finds the differences by itself.
 */
#include <zebra.h>

#include "vty.h"

#include "swmeshd/swmesh_model.h"
#include "swmeshd/swmesh_nb.h"
#include "swmeshd/swmesh_zebra.h"
#include "swmeshd/swmeshd.h"

/* Bits that a SW-NHOP needs for its hash, or two would soon collide. */
#define NHOP_BITS_MIN 32

int swmesh_nb_create(struct nb_cb_create_args *args)
{
	return NB_OK;
}

int swmesh_nb_modify(struct nb_cb_modify_args *args)
{
	return NB_OK;
}

int swmesh_nb_destroy(struct nb_cb_destroy_args *args)
{
	return NB_OK;
}

/*
 * Configuration that is read from a file is not refused for an address that is
 * not there: at boot it may come up later, and frr.conf must not be lost for
 * that. The mesh then waits for it, and "show softwire" says so.
 */
static bool from_file(const struct nb_context *context)
{
	const struct vty *vty = context->user;

	if (context->client != NB_CLIENT_CLI || !vty)
		return false;
	return vty->type == VTY_FILE || vty->pending_allowed;
}

static bool source_nonsense(const struct ipaddr *source)
{
	if (IS_IPADDR_V4(source))
		return source->ipaddr_v4.s_addr == INADDR_ANY ||
		       ipv4_martian(&source->ipaddr_v4) ||
		       IN_MULTICAST(ntohl(source->ipaddr_v4.s_addr));
	return IN6_IS_ADDR_UNSPECIFIED(&source->ipaddr_v6) ||
	       IN6_IS_ADDR_LOOPBACK(&source->ipaddr_v6) ||
	       IN6_IS_ADDR_LINKLOCAL(&source->ipaddr_v6) ||
	       IN6_IS_ADDR_MULTICAST(&source->ipaddr_v6) ||
	       IN6_IS_ADDR_V4MAPPED(&source->ipaddr_v6);
}

int swmesh_nb_source_modify(struct nb_cb_modify_args *args)
{
	struct ipaddr source;

	if (args->event != NB_EV_VALIDATE)
		return NB_OK;
	yang_dnode_get_ip(&source, args->dnode, NULL);
	if (source_nonsense(&source)) {
		snprintfrr(
			args->errmsg, args->errmsg_len,
			"softwire mesh: source %pIA cannot be a tunnel endpoint; name a unicast address of this router that the core can reach",
			&source);
		return NB_ERR_VALIDATION;
	}
	if (from_file(args->context))
		return NB_OK;
	if (!swmesh_zebra_interfaces_known()) {
		snprintfrr(
			args->errmsg, args->errmsg_len,
			"softwire mesh: whether source %pIA is an address of this router cannot be told without zebra; start zebra, then try again",
			&source);
		return NB_ERR_VALIDATION;
	}
	if (!swmesh_zebra_address_is_ours(&source)) {
		snprintfrr(
			args->errmsg, args->errmsg_len,
			"softwire mesh: source %pIA is not an address of this router; add it to an interface (a loopback is best) or name one of 'show interface brief'",
			&source);
		return NB_ERR_VALIDATION;
	}
	return NB_OK;
}

int swmesh_nb_prefix_modify(struct nb_cb_modify_args *args)
{
	struct prefix p;

	if (args->event != NB_EV_VALIDATE)
		return NB_OK;
	yang_dnode_get_prefix(&p, args->dnode, NULL);
	apply_mask(&p);
	if (p.prefixlen > IPV6_MAX_BITLEN - NHOP_BITS_MIN || p.prefixlen < 8) {
		snprintfrr(
			args->errmsg, args->errmsg_len,
			"softwire mesh: sw-nhop prefix %pFX: SW-NHOPs need a prefix of /8 to /%u; choose a shorter one, such as a /64 of your own ULA",
			&p, IPV6_MAX_BITLEN - NHOP_BITS_MIN);
		return NB_ERR_VALIDATION;
	}
	if (IN6_IS_ADDR_MULTICAST(&p.u.prefix6) ||
	    IN6_IS_ADDR_LINKLOCAL(&p.u.prefix6) ||
	    IN6_IS_ADDR_UNSPECIFIED(&p.u.prefix6)) {
		snprintfrr(
			args->errmsg, args->errmsg_len,
			"softwire mesh: sw-nhop prefix %pFX holds no unicast next hops; choose a /64 of your own ULA",
			&p);
		return NB_ERR_VALIDATION;
	}
	return NB_OK;
}

/* ---- reading a candidate or the running configuration ---- */

static void read_tunnel(const struct lyd_node *dnode, struct encap_set *set)
{
	struct encap_tunnel *et;

	et = encap_tunnel_get(set,
			      yang_dnode_get_uint16(dnode, "./preference"));
	et->tunnel.type = yang_dnode_get_enum(dnode, "./type");
	et->tunnel.has_key = yang_dnode_exists(dnode, "./key");
	et->tunnel.key =
		et->tunnel.has_key ? yang_dnode_get_uint32(dnode, "./key") : 0;
}

static int read_tunnel_cb(const struct lyd_node *dnode, void *arg)
{
	read_tunnel(dnode, arg);
	return YANG_ITER_CONTINUE;
}

static int read_payload_cb(const struct lyd_node *dnode, void *arg)
{
	struct encap_set *set = arg;

	if (!strcmp(yang_dnode_get_string(dnode, NULL), "ipv4"))
		set->payload |= PAYLOAD_IPV4;
	else
		set->payload |= PAYLOAD_IPV6;
	return YANG_ITER_CONTINUE;
}

static int read_set_cb(const struct lyd_node *dnode, void *arg)
{
	struct encap_sets_head *sets = arg;
	struct encap_set *set;

	set = encap_set_get(sets, yang_dnode_get_string(dnode, "./name"));
	yang_dnode_iterate(read_tunnel_cb, set, dnode, "./tunnel");
	yang_dnode_iterate(read_payload_cb, set, dnode, "./payload");
	return YANG_ITER_CONTINUE;
}

static void read_sets(const struct lyd_node *mesh, struct encap_sets_head *sets)
{
	yang_dnode_iterate(read_set_cb, sets, mesh, "./encap-set");
}

static void free_sets(struct encap_sets_head *sets)
{
	struct encap_set *set;

	while ((set = encap_sets_first(sets)))
		encap_set_del(sets, set);
}

static void read_mesh(const struct lyd_node *mesh, struct mesh_config *config)
{
	struct prefix p;

	config->enabled = true;
	if (yang_dnode_exists(mesh, "./transit/source"))
		yang_dnode_get_ip(&config->source, mesh, "./transit/source");
	yang_dnode_get_prefix(&p, mesh, "./sw-nhop/prefix");
	apply_mask(&p);
	prefix_copy(&config->nhop_prefix, &p);
	config->policy_required = !strcmp(
		yang_dnode_get_string(mesh, "./peer/policy"), "required");
	if (yang_dnode_exists(mesh, "./announce/encap-set"))
		strlcpy(config->announce,
			yang_dnode_get_string(mesh, "./announce/encap-set"),
			sizeof(config->announce));
}

/* ---- what concerns more than one node ---- */

static int check_transit(const struct lyd_node *mesh, char *errmsg, size_t len)
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

static int check_source_prefix(const struct mesh_config *config, char *errmsg,
			       size_t len)
{
	struct prefix source = {.family = AF_INET6,
				.prefixlen = IPV6_MAX_BITLEN};

	if (!IS_IPADDR_V6(&config->source))
		return NB_OK;
	source.u.prefix6 = config->source.ipaddr_v6;
	if (!prefix_match((const struct prefix *)&config->nhop_prefix, &source))
		return NB_OK;
	snprintfrr(
		errmsg, len,
		"softwire mesh: source %pIA is inside the sw-nhop prefix %pFX, where nothing but SW-NHOPs may be; choose another prefix",
		&config->source, &config->nhop_prefix);
	return NB_ERR_VALIDATION;
}

int swmesh_nb_mesh_pre_validate(struct nb_cb_pre_validate_args *args)
{
	struct mesh_config config = {};
	struct encap_sets_head sets;
	int ret;

	ret = check_transit(args->dnode, args->errmsg, args->errmsg_len);
	if (ret != NB_OK)
		return ret;
	read_mesh(args->dnode, &config);
	ret = check_source_prefix(&config, args->errmsg, args->errmsg_len);
	if (ret != NB_OK)
		return ret;
	encap_sets_init(&sets);
	read_sets(args->dnode, &sets);
	ret = check_sets(&config, &sets, args->errmsg, args->errmsg_len);
	free_sets(&sets);
	return ret;
}

/* ---- applying ---- */

void swmesh_nb_mesh_apply_finish(struct nb_cb_apply_finish_args *args)
{
	memset(&swmesh->config, 0, sizeof(swmesh->config));
	free_sets(&swmesh->sets);
	read_mesh(args->dnode, &swmesh->config);
	read_sets(args->dnode, &swmesh->sets);
	swmesh_zebra_source_changed();
	mesh_config_changed(swmesh);
}

int swmesh_nb_mesh_destroy(struct nb_cb_destroy_args *args)
{
	if (args->event != NB_EV_APPLY)
		return NB_OK;
	free_sets(&swmesh->sets);
	swmesh->config.enabled = false;
	swmesh->config.source.ipa_type = IPADDR_NONE;
	swmesh->config.announce[0] = '\0';
	swmesh->config.policy_required = false;
	mesh_config_changed(swmesh);
	return NB_OK;
}
