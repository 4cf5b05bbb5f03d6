// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration: how a commit becomes the model's configuration. What it is
 * refused for is in config/check.c; the whole transaction is, so nothing is
 * applied in part.
 *
 * Once a commit is accepted the configuration is read as a whole
 * (swmesh_nb_mesh_apply_finish): the model finds the differences by itself.
 */
#include <zebra.h>

#include "northbound_cli.h"
#include "vty.h"

#include "swmeshd/model/model.h"
#include "swmeshd/swmesh_nb.h"
#include "swmeshd/talk/overlap.h"
#include "swmeshd/talk/zebra.h"
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

/* The vty whose commit is under way, and whether the lines that wait for the
 * end of a transaction come from a file: pre_validate() is told neither. */
static const struct vty *committing;
static bool file_pending;

int swmesh_nb_apply(struct vty *vty)
{
	int ret;

	committing = vty;
	file_pending = vty->pending_allowed;
	ret = nb_cli_apply_changes(vty, NULL);
	committing = NULL;
	return ret;
}

static enum nb_commit commit_kind(const struct lyd_node *dnode)
{
	if (committing && committing->type == VTY_FILE)
		return NB_COMMIT_LINE;
	if (committing)
		return committing->pending_allowed ? NB_COMMIT_BLOCK
						   : NB_COMMIT_TYPED;
	while (lyd_parent(dnode))
		dnode = lyd_parent(dnode);
	return file_pending && lyd_first_sibling(dnode) ==
				       lyd_first_sibling(
					       vty_shared_candidate_config
						       ->dnode)
		       ? NB_COMMIT_BLOCK
		       : NB_COMMIT_TYPED;
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
	char overlap[OVERLAP_TEXT_LEN];
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
	/* The default is nobody's choice: "show softwire" tells. */
	if (from_file(args->context) ||
	    yang_dnode_is_default(args->dnode, NULL))
		return NB_OK;
	if (swmesh_overlap_find(&p, overlap, sizeof(overlap))[0]) {
		snprintfrr(
			args->errmsg, args->errmsg_len,
			"softwire mesh: sw-nhop prefix %pFX overlaps %s, and nothing else may use it; choose another one, such as a /64 of your own ULA",
			&p, overlap);
		return NB_ERR_VALIDATION;
	}
	return NB_OK;
}

/* ---- reading a candidate or the running configuration ---- */

static void read_string(const struct lyd_node *dnode, const char *xpath,
			char *out, size_t len)
{
	if (yang_dnode_exists(dnode, xpath))
		strlcpy(out, yang_dnode_get_string(dnode, xpath), len);
}

static void read_tunnel(const struct lyd_node *dnode, struct encap_set *set)
{
	struct encap_tunnel *et;

	et = encap_tunnel_get(set,
			      yang_dnode_get_uint16(dnode, "./preference"));
	et->tunnel.type = yang_dnode_get_enum(dnode, "./type");
	et->tunnel.has_key = yang_dnode_exists(dnode, "./key");
	et->tunnel.key =
		et->tunnel.has_key ? yang_dnode_get_uint32(dnode, "./key") : 0;
	read_string(dnode, "./security", et->security, sizeof(et->security));
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
	read_string(dnode, "./security", set->security, sizeof(set->security));
	set->clear = !strcmp(set->security, SECURITY_NONE);
	if (set->clear)
		set->security[0] = '\0';
	set->rfc5566 = yang_dnode_get_bool(dnode, "./announce-rfc5566");
	return YANG_ITER_CONTINUE;
}

static void free_sets(struct encap_sets_head *sets)
{
	struct encap_set *set;

	while ((set = encap_sets_first(sets)))
		encap_set_del(sets, set);
}

static void read_filter(const struct lyd_node *mesh,
			struct filter_config *filter)
{
	const char *word = yang_dnode_get_string(mesh, "./filter/anti-spoof");

	filter->off = !yang_dnode_get_bool(mesh, "./filter/enabled");
	filter->log = yang_dnode_get_bool(mesh, "./filter/log");
	filter->log_rate = yang_dnode_get_uint16(mesh, "./filter/log-rate");
	if (!strcmp(word, "strict"))
		filter->anti_spoof = ANTI_SPOOF_STRICT;
	else if (!strcmp(word, "loose"))
		filter->anti_spoof = ANTI_SPOOF_LOOSE;
	else
		filter->anti_spoof = ANTI_SPOOF_OFF;
}

static int read_neighbor_cb(const struct lyd_node *dnode, void *arg)
{
	struct protect_bgp_config *protect = arg;

	if (protect->n < PROTECT_BGP_NEIGHBORS_MAX)
		yang_dnode_get_ip(&protect->neighbor[protect->n++], dnode,
				  NULL);
	return YANG_ITER_CONTINUE;
}

static int read_interface_cb(const struct lyd_node *dnode, void *arg)
{
	struct transit_config *transit = arg;

	if (transit->n_interfaces < TRANSIT_INTERFACES_MAX)
		yang_dnode_get_string_buf(
			transit->interface[transit->n_interfaces++],
			INTERFACE_NAMSIZ, dnode, NULL);
	return YANG_ITER_CONTINUE;
}

static void read_transit(const struct lyd_node *mesh,
			 struct transit_config *transit)
{
	yang_dnode_iterate(read_interface_cb, transit, mesh,
			   "./transit/interface");
	read_string(mesh, "./transit/prefix-list", transit->prefix_list,
		    sizeof(transit->prefix_list));
}

static void read_policy(const char *word, struct mesh_config *config)
{
	config->policy_protected = !strcmp(word, "protected");
	config->policy_required =
		config->policy_protected || !strcmp(word, "required");
}

static void read_mesh(const struct lyd_node *mesh, struct mesh_config *config)
{
	struct prefix p;

	config->enabled = true;
	read_transit(mesh, &config->transit);
	if (yang_dnode_exists(mesh, "./transit/source"))
		yang_dnode_get_ip(&config->source, mesh, "./transit/source");
	yang_dnode_get_prefix(&p, mesh, "./sw-nhop/prefix");
	apply_mask(&p);
	prefix_copy(&config->nhop_prefix, &p);
	read_policy(yang_dnode_get_string(mesh, "./peer/policy"), config);
	read_string(mesh, "./announce/encap-set", config->announce,
		    sizeof(config->announce));
	config->handshakes = yang_dnode_get_uint16(mesh, "./ike/handshakes");
	read_filter(mesh, &config->filter);
	read_string(mesh, "./protect-bgp/security",
		    config->protect_bgp.security,
		    sizeof(config->protect_bgp.security));
	yang_dnode_iterate(read_neighbor_cb, &config->protect_bgp, mesh,
			   "./protect-bgp/neighbor");
}

void nb_draft_read(struct nb_draft *draft, const struct lyd_node *mesh)
{
	struct encap_set *set;

	memset(draft, 0, sizeof(*draft));
	encap_sets_init(&draft->sets);
	securities_init(&draft->securities);
	read_mesh(mesh, &draft->config);
	yang_dnode_iterate(read_set_cb, &draft->sets, mesh, "./encap-set");
	frr_each (encap_sets, &draft->sets, set)
		set->protected_only = draft->config.policy_protected;
	nb_read_securities(mesh, &draft->securities);
}

void nb_draft_clear(struct nb_draft *draft)
{
	free_sets(&draft->sets);
	encap_sets_fini(&draft->sets);
	securities_clear(&draft->securities);
	securities_fini(&draft->securities);
}

/* ---- checking and applying ---- */

static int check_security(struct nb_draft *draft, enum nb_commit kind,
			  char *err, size_t len)
{
	int ret = nb_check_security_names(draft, kind, err, len);

	if (ret == NB_OK)
		ret = nb_check_security_files(draft, kind, err, len);
	if (ret == NB_OK)
		ret = nb_check_security_uses(draft, err, len);
	return ret;
}

/* Every commit of this process is checked, of other lines, too: what a file
 * was let through with must not hinder them. */
static bool fault_is_old(const char *err)
{
	const struct lyd_node *mesh;
	struct nb_draft draft;
	char old[BUFSIZ] = "";

	mesh = yang_dnode_get(running_config->dnode, SWMESH_MESH_XPATH);
	if (!mesh)
		return false;
	nb_draft_read(&draft, mesh);
	check_security(&draft, NB_COMMIT_TYPED, old, sizeof(old));
	nb_draft_clear(&draft);
	return !strcmp(err, old);
}

int swmesh_nb_mesh_pre_validate(struct nb_cb_pre_validate_args *args)
{
	char *err = args->errmsg;
	size_t len = args->errmsg_len;
	enum nb_commit kind = commit_kind(args->dnode);
	struct nb_draft draft;
	int ret;

	ret = nb_check_transit(args->dnode, err, len);
	if (ret != NB_OK)
		return ret;
	nb_draft_read(&draft, args->dnode);
	ret = nb_check_mesh(&draft, err, len);
	/* An encap-set whose line "security" was refused would send in clear
	 * (S9): what is wrong is kept with the security instead, which then
	 * does not come up. */
	if (ret == NB_OK && kind != NB_COMMIT_LINE) {
		ret = check_security(&draft, kind, err, len);
		if (ret != NB_OK && fault_is_old(err)) {
			err[0] = '\0';
			ret = NB_OK;
		}
	}
	nb_draft_clear(&draft);
	return ret;
}

static void take_sets(struct nb_draft *draft)
{
	struct encap_set *set;

	free_sets(&swmesh->sets);
	while ((set = encap_sets_pop(&draft->sets)))
		encap_sets_add(&swmesh->sets, set);
}

void swmesh_nb_mesh_apply_finish(struct nb_cb_apply_finish_args *args)
{
	struct nb_draft draft;
	bool prefix_new;

	nb_draft_read(&draft, args->dnode);
	nb_adopt_securities(&draft, args->errmsg, args->errmsg_len);
	prefix_new = !swmesh->config.enabled ||
		     !prefix_same(&swmesh->config.nhop_prefix,
				  &draft.config.nhop_prefix);
	swmesh->config = draft.config;
	take_sets(&draft);
	nb_draft_clear(&draft);
	if (prefix_new)
		swmesh_overlap_warn_all();
	swmesh_zebra_source_changed();
	mesh_config_changed(swmesh);
}

int swmesh_nb_mesh_destroy(struct nb_cb_destroy_args *args)
{
	if (args->event != NB_EV_APPLY)
		return NB_OK;
	free_sets(&swmesh->sets);
	securities_clear(&swmesh->securities);
	swmesh->config.enabled = false;
	swmesh->config.source.ipa_type = IPADDR_NONE;
	swmesh->config.announce[0] = '\0';
	swmesh->config.policy_required = false;
	swmesh->config.policy_protected = false;
	memset(&swmesh->config.transit, 0, sizeof(swmesh->config.transit));
	memset(&swmesh->config.protect_bgp, 0,
	       sizeof(swmesh->config.protect_bgp));
	mesh_config_changed(swmesh);
	return NB_OK;
}
