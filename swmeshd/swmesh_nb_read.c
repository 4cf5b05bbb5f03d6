// SPDX-License-Identifier: GPL-2.0-or-later
/* YANG into a draft; see swmesh_nb_read.h. */
#include <zebra.h>

#include "northbound.h"

#include "swmeshd/swmesh_nb.h"
#include "swmeshd/swmesh_nb_read.h"
#include "swmeshd/swmeshd.h"

/* ---- securities ---- */

static void read_text(const struct lyd_node *dnode, const char *xpath,
		      char **field)
{
	if (yang_dnode_exists(dnode, xpath))
		security_set_text(field, yang_dnode_get_string(dnode, xpath));
}

struct file_list {
	struct security_file *files;
	unsigned int *n, max;
};

static int read_file_cb(const struct lyd_node *dnode, void *arg)
{
	struct file_list *list = arg;

	if (*list->n < list->max)
		security_set_text(&list->files[(*list->n)++].path,
				  yang_dnode_get_string(dnode, NULL));
	return YANG_ITER_CONTINUE;
}

static void read_files(const struct lyd_node *dnode, const char *xpath,
		       struct security_file *files, unsigned int *n,
		       unsigned int max)
{
	struct file_list list = {.files = files, .n = n, .max = max};

	yang_dnode_iterate(read_file_cb, &list, dnode, xpath);
}

static void read_proposals(const struct lyd_node *dnode, const char *xpath,
			   struct security_proposals *proposals)
{
	if (yang_dnode_exists(dnode, xpath))
		security_set_proposals(proposals,
				       yang_dnode_get_string(dnode, xpath));
}

static void read_method(const struct lyd_node *dnode, struct security *s)
{
	if (yang_dnode_exists(dnode, "./ike/group-psk/file") ||
	    yang_dnode_exists(dnode, "./ike/group-psk/sealed")) {
		s->method = IKE_METHOD_PSK;
		read_text(dnode, "./ike/group-psk/file", &s->psk.path);
		read_text(dnode, "./ike/group-psk/sealed", &s->sealed);
	} else if (yang_dnode_exists(dnode, "./ike/pki/certificate")) {
		s->method = IKE_METHOD_PKI;
		read_text(dnode, "./ike/pki/certificate", &s->cert.path);
		read_text(dnode, "./ike/pki/key", &s->key.path);
		read_files(dnode, "./ike/pki/ca", s->ca, &s->n_ca,
			   SECURITY_FILES_MAX);
		read_files(dnode, "./ike/pki/crl", s->crl, &s->n_crl,
			   SECURITY_FILES_MAX);
		read_text(dnode, "./ike/pki/identity", &s->identity);
		read_text(dnode, "./ike/pki/peer-identity", &s->peer_identity);
	} else if (yang_dnode_exists(dnode, "./ike/raw-key/key")) {
		s->method = IKE_METHOD_RAW;
		read_text(dnode, "./ike/raw-key/key", &s->key.path);
		read_text(dnode, "./ike/raw-key/certificate", &s->cert.path);
		read_text(dnode, "./ike/raw-key/peer-keys", &s->peer_keys);
		/* One place is the key's own. */
		read_files(dnode, "./ike/raw-key/announce-key", s->announce,
			   &s->n_announce, KEYS_ANNOUNCED_MAX - 1);
	}
}

static int read_security_cb(const struct lyd_node *dnode, void *arg)
{
	struct securities_head *securities = arg;
	struct security *s;

	s = security_new(yang_dnode_get_string(dnode, "./name"));
	read_method(dnode, s);
	read_proposals(dnode, "./ike/proposals", &s->ike);
	s->rekey_ike = yang_dnode_get_uint32(dnode, "./ike/rekey");
	s->dpd = yang_dnode_get_uint16(dnode, "./ike/dpd");
	read_text(dnode, "./ike/ppk/id", &s->ppk_id);
	read_text(dnode, "./ike/ppk/file", &s->ppk.path);
	s->ppk_required = yang_dnode_get_bool(dnode, "./ike/ppk/required");
	s->protocol =
		strcmp(yang_dnode_get_string(dnode, "./ipsec/protocol"), "ah")
			? IPSEC_ESP
			: IPSEC_AH;
	read_proposals(dnode, "./ipsec/proposals", &s->ipsec);
	s->rekey_sa = yang_dnode_get_uint32(dnode, "./ipsec/rekey");
	s->replay_window =
		yang_dnode_get_uint16(dnode, "./ipsec/replay-window");
	securities_add(securities, s);
	return YANG_ITER_CONTINUE;
}

static void read_securities(const struct lyd_node *mesh,
			    struct securities_head *securities)
{
	yang_dnode_iterate(read_security_cb, securities, mesh, "./security");
}

/* ---- encap-sets and the mesh ---- */

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

void nb_draft_read(struct draft *draft, const struct lyd_node *mesh)
{
	struct encap_set *set;

	draft_init(draft);
	read_mesh(mesh, &draft->config);
	yang_dnode_iterate(read_set_cb, &draft->sets, mesh, "./encap-set");
	frr_each (encap_sets, &draft->sets, set)
		set->protected_only = draft->config.policy_protected;
	read_securities(mesh, &draft->securities);
}

bool nb_draft_running(struct draft *draft)
{
	const struct lyd_node *mesh =
		yang_dnode_get(running_config->dnode, SWMESH_MESH_XPATH);

	if (mesh)
		nb_draft_read(draft, mesh);
	return mesh != NULL;
}
