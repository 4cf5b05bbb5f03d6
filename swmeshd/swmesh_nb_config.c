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

#include "northbound.h"

#include "swmeshd/model/model.h"
#include "swmeshd/config/adopt.h"
#include "swmeshd/config/check.h"
#include "swmeshd/swmesh_nb.h"
#include "swmeshd/swmesh_nb_commit.h"
#include "swmeshd/swmesh_nb_read.h"
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
	if (nb_commit_from_file(args->context))
		return NB_OK;
	switch (swmesh->ops->address(&source)) {
	case OWN_ADDRESS_YES:
		return NB_OK;
	case OWN_ADDRESS_NO:
		snprintfrr(
			args->errmsg, args->errmsg_len,
			"softwire mesh: source %pIA is not an address of this router; add it to an interface (a loopback is best) or name one of 'show interface brief'",
			&source);
		return NB_ERR_VALIDATION;
	case OWN_ADDRESS_UNKNOWN:
		break;
	}
	snprintfrr(
		args->errmsg, args->errmsg_len,
		"softwire mesh: whether source %pIA is an address of this router cannot be told without zebra; start zebra, then try again",
		&source);
	return NB_ERR_VALIDATION;
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
	if (nb_commit_from_file(args->context) ||
	    yang_dnode_is_default(args->dnode, NULL))
		return NB_OK;
	if (swmesh->ops->overlap(&p, overlap, sizeof(overlap))[0]) {
		snprintfrr(
			args->errmsg, args->errmsg_len,
			"softwire mesh: sw-nhop prefix %pFX overlaps %s, and nothing else may use it; choose another one, such as a /64 of your own ULA",
			&p, overlap);
		return NB_ERR_VALIDATION;
	}
	return NB_OK;
}

/* ---- checking and applying ---- */

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

static bool check_security(struct draft *draft, enum commit_kind kind,
			   char *err, size_t len)
{
	return check_security_names(draft, kind, err, len) &&
	       adopt_check_files(draft, kind, err, len) &&
	       check_security_uses(draft, err, len);
}

/* Every commit of this process is checked, of other lines, too: what a file
 * was let through with must not hinder them. */
static bool fault_is_old(const char *err)
{
	struct draft draft;
	char old[BUFSIZ] = "";

	if (!nb_draft_running(&draft))
		return false;
	check_security(&draft, COMMIT_TYPED, old, sizeof(old));
	draft_clear(&draft);
	return !strcmp(err, old);
}

int swmesh_nb_mesh_pre_validate(struct nb_cb_pre_validate_args *args)
{
	char *err = args->errmsg;
	size_t len = args->errmsg_len;
	enum commit_kind kind = nb_commit_kind(args->dnode);
	struct draft draft;
	bool ok;

	if (check_transit(args->dnode, err, len) != NB_OK)
		return NB_ERR_VALIDATION;
	nb_draft_read(&draft, args->dnode);
	ok = check_mesh(&draft, err, len);
	/* An encap-set whose line "security" was refused would send in clear
	 * (S9): what is wrong is kept with the security instead, which then
	 * does not come up. */
	if (ok && kind != COMMIT_LINE) {
		ok = check_security(&draft, kind, err, len);
		if (!ok && fault_is_old(err)) {
			err[0] = '\0';
			ok = true;
		}
	}
	draft_clear(&draft);
	return ok ? NB_OK : NB_ERR_VALIDATION;
}

static void take_sets(struct draft *draft)
{
	struct encap_set *set;

	encap_sets_del_all(&swmesh->sets);
	while ((set = encap_sets_pop(&draft->sets)))
		encap_sets_add(&swmesh->sets, set);
}

void swmesh_nb_mesh_apply_finish(struct nb_cb_apply_finish_args *args)
{
	struct draft draft;

	nb_draft_read(&draft, args->dnode);
	adopt_securities(&draft, args->errmsg, args->errmsg_len);
	swmesh->config = draft.config;
	take_sets(&draft);
	draft_clear(&draft);
	mesh_config_changed(swmesh);
}

int swmesh_nb_mesh_destroy(struct nb_cb_destroy_args *args)
{
	if (args->event != NB_EV_APPLY)
		return NB_OK;
	encap_sets_del_all(&swmesh->sets);
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
