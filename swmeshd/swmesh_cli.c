// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration commands. They only translate to the northbound, which decides
 * (swmesh_nb_config.c). Words that the YANG types could not even hold are
 * refused here, so that the answer says what is wrong with them.
 */
#include <zebra.h>

#include "command.h"
#include "northbound_cli.h"

#include "swmeshd/swmesh_nb_commit.h"
#include "swmeshd/swmesh_cli.h"
#include "swmeshd/swmesh_cli_util.h"
#include "swmeshd/model/encap_set.h"
#include "swmeshd/swmesh_nb.h"
#ifndef VTYSH_EXTRACT_PL
#include "swmeshd/swmesh_cli_clippy.c"
#endif

#define SOFTWIRE_STR "Softwires\n"
#define TRANSIT_STR "Transit core\n"
#define ENCAP_STR "Set of encapsulations that is announced\n"
#define TUNNEL_STR                                                             \
	"Tunnel of this encap-set\n"                                           \
	"Preference, lowest first\n"                                           \
	"GRE (RFC 2784)\n"                                                     \
	"IP in IP (RFC 2003, RFC 2473)\n"                                      \
	"Type of tunnel\n"                                                     \
	"GRE key of packets to us (RFC 2890)\n"                                \
	"1 to 4294967295\n"                                                    \
	"What protects it\n"                                                   \
	"Name of a security, or 'none'\n"

/* ---- softwire mesh ---- */

DEFPY_YANG_NOSH(softwire_mesh, softwire_mesh_cmd, "softwire mesh",
		SOFTWIRE_STR "This router's softwire mesh (RFC 5565)\n")
{
	int ret;

	nb_cli_enqueue_change(vty, SWMESH_MESH_XPATH, NB_OP_CREATE, NULL);
	ret = swmesh_nb_apply(vty);
	if (ret == CMD_SUCCESS)
		VTY_PUSH_XPATH(SWMESH_NODE, SWMESH_MESH_XPATH);
	return ret;
}

DEFPY_YANG(no_softwire_mesh, no_softwire_mesh_cmd, "no softwire mesh",
	   NO_STR SOFTWIRE_STR "Remove the mesh, its devices and routes\n")
{
	nb_cli_enqueue_change(vty, SWMESH_MESH_XPATH, NB_OP_DESTROY, NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_mesh(struct vty *vty, const struct lyd_node *dnode,
			  bool show_defaults)
{
	vty_out(vty, "!\nsoftwire mesh\n");
}

void swmesh_cli_show_mesh_end(struct vty *vty, const struct lyd_node *dnode)
{
	vty_out(vty, "exit\n!\n");
}

/* ---- its lines ---- */

DEFPY_YANG(transit_source, transit_source_cmd,
	   "transit <ipv4|ipv6>$family source <A.B.C.D|X:X::X:X>$source",
	   TRANSIT_STR
	   "IPv4 core\n"
	   "IPv6 core\n"
	   "Our tunnel endpoint\n"
	   "Address of this router\n"
	   "Address of this router\n")
{
	nb_cli_enqueue_change(vty, "./transit/address-family", NB_OP_MODIFY,
			      family);
	nb_cli_enqueue_change(vty, "./transit/source", NB_OP_MODIFY,
			      source_str);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_transit, no_transit_cmd,
	   "no transit [<ipv4|ipv6> source <A.B.C.D|X:X::X:X>]",
	   NO_STR TRANSIT_STR
	   "IPv4 core\n"
	   "IPv6 core\n"
	   "Our tunnel endpoint\n"
	   "Address of this router\n"
	   "Address of this router\n")
{
	nb_cli_enqueue_change(vty, "./transit/source", NB_OP_DESTROY, NULL);
	nb_cli_enqueue_change(vty, "./transit/address-family", NB_OP_DESTROY,
			      NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_source(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults)
{
	vty_out(vty, " transit %s source %s\n",
		yang_dnode_get_string(dnode, "../address-family"),
		yang_dnode_get_string(dnode, NULL));
}

static bool quoted(const char *word)
{
	return strpbrk(word, "'\"") != NULL;
}

DEFPY_YANG(transit_interface, transit_interface_cmd,
	   "[no] transit interface IFNAME$interface",
	   NO_STR TRANSIT_STR
	   "Interface that the core is behind\n"
	   "Name of the interface\n")
{
	if (strlen(interface) >= INTERFACE_NAMSIZ || quoted(interface))
		return swmesh_cli_refuse(
			vty,
			"softwire mesh: transit interface %.80s: not a name; use 1 to %u characters without quotes",
			interface, INTERFACE_NAMSIZ - 1);
	nb_cli_enqueue_change(vty, "./transit/interface",
			      no ? NB_OP_DESTROY : NB_OP_CREATE, interface);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(transit_list, transit_list_cmd,
	   "transit prefix-list PREFIXLIST_NAME$name",
	   TRANSIT_STR
	   "What permits endpoints of remote AFBRs\n"
	   "Name of the prefix-list\n")
{
	if (strlen(name) > TRANSIT_LIST_NAME_LEN || quoted(name))
		return swmesh_cli_refuse(
			vty,
			"softwire mesh: transit prefix-list %.80s: not a name; use 1 to %u characters without quotes",
			name, TRANSIT_LIST_NAME_LEN);
	nb_cli_enqueue_change(vty, "./transit/prefix-list", NB_OP_MODIFY, name);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_transit_list, no_transit_list_cmd,
	   "no transit prefix-list [PREFIXLIST_NAME]",
	   NO_STR TRANSIT_STR
	   "What permits endpoints of remote AFBRs\n"
	   "Name of the prefix-list\n")
{
	nb_cli_enqueue_change(vty, "./transit/prefix-list", NB_OP_DESTROY,
			      NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_transit_interface(struct vty *vty,
				       const struct lyd_node *dnode,
				       bool show_defaults)
{
	vty_out(vty, " transit interface %s\n",
		yang_dnode_get_string(dnode, NULL));
}

void swmesh_cli_show_transit_list(struct vty *vty, const struct lyd_node *dnode,
				  bool show_defaults)
{
	vty_out(vty, " transit prefix-list %s\n",
		yang_dnode_get_string(dnode, NULL));
}

DEFPY_YANG(sw_nhop_prefix, sw_nhop_prefix_cmd,
	   "sw-nhop prefix X:X::X:X/M$prefix",
	   "Next hops that stand for softwires\n"
	   "Prefix they are taken from\n"
	   "IPv6 prefix that nothing else uses\n")
{
	nb_cli_enqueue_change(vty, "./sw-nhop/prefix", NB_OP_MODIFY,
			      prefix_str);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_sw_nhop_prefix, no_sw_nhop_prefix_cmd,
	   "no sw-nhop [prefix [X:X::X:X/M]]",
	   NO_STR
	   "Next hops that stand for softwires\n"
	   "Prefix they are taken from\n"
	   "IPv6 prefix that nothing else uses\n")
{
	nb_cli_enqueue_change(vty, "./sw-nhop/prefix", NB_OP_MODIFY, NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_prefix(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults)
{
	vty_out(vty, " sw-nhop prefix %s\n",
		yang_dnode_get_string(dnode, NULL));
}

DEFPY_YANG(peer_policy, peer_policy_cmd,
	   "peer policy <any|required|protected>$policy",
	   "Other AFBRs\n"
	   "What is asked of their routes\n"
	   "Routes may come without a Tunnel Encapsulation attribute\n"
	   "SOFTWIRE-IN refuses routes without the attribute\n"
	   "Besides, tunnels without a security are not used\n")
{
	nb_cli_enqueue_change(vty, "./peer/policy", NB_OP_MODIFY, policy);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_peer_policy, no_peer_policy_cmd,
	   "no peer policy [<any|required|protected>]",
	   NO_STR
	   "Other AFBRs\n"
	   "What is asked of their routes\n"
	   "Routes may come without a Tunnel Encapsulation attribute\n"
	   "SOFTWIRE-IN refuses routes without the attribute\n"
	   "Besides, tunnels without a security are not used\n")
{
	nb_cli_enqueue_change(vty, "./peer/policy", NB_OP_MODIFY, NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_policy(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults)
{
	vty_out(vty, " peer policy %s\n", yang_dnode_get_string(dnode, NULL));
}

static int refuse_name(struct vty *vty, const char *name)
{
	return swmesh_cli_refuse(
		vty,
		"encap-set %.80s: not a name; use 1 to %u letters, digits and '_', '.', ':', '-'",
		name, ENCAP_NAME_LEN);
}

DEFPY_YANG(announce_encap_set, announce_encap_set_cmd,
	   "announce encap-set WORD$name",
	   "What the route-map SOFTWIRE-OUT attaches\n" ENCAP_STR
	   "Name of the encap-set\n")
{
	if (!swmesh_cli_name_ok(name))
		return refuse_name(vty, name);
	nb_cli_enqueue_change(vty, "./announce/encap-set", NB_OP_MODIFY, name);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_announce, no_announce_cmd, "no announce [encap-set [WORD]]",
	   NO_STR "What the route-map SOFTWIRE-OUT attaches\n" ENCAP_STR
		  "Name of the encap-set\n")
{
	nb_cli_enqueue_change(vty, "./announce/encap-set", NB_OP_DESTROY, NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_announce(struct vty *vty, const struct lyd_node *dnode,
			      bool show_defaults)
{
	vty_out(vty, " announce encap-set %s\n",
		yang_dnode_get_string(dnode, NULL));
}

/* ---- encap-set ---- */

DEFPY_YANG_NOSH(encap_set, encap_set_cmd, "encap-set WORD$name",
		ENCAP_STR "Name of the encap-set\n")
{
	char xpath[XPATH_MAXLEN];
	int ret;

	if (!swmesh_cli_name_ok(name))
		return refuse_name(vty, name);
	snprintf(xpath, sizeof(xpath),
		 SWMESH_MESH_XPATH "/encap-set[name='%s']", name);
	nb_cli_enqueue_change(vty, xpath, NB_OP_CREATE, NULL);
	ret = swmesh_nb_apply(vty);
	if (ret == CMD_SUCCESS)
		VTY_PUSH_XPATH(SWMESH_ENCAP_NODE, xpath);
	return ret;
}

DEFPY_YANG(no_encap_set, no_encap_set_cmd, "no encap-set WORD$name",
	   NO_STR ENCAP_STR "Name of the encap-set\n")
{
	char xpath[XPATH_MAXLEN];

	if (!swmesh_cli_name_ok(name))
		return refuse_name(vty, name);
	snprintf(xpath, sizeof(xpath),
		 SWMESH_MESH_XPATH "/encap-set[name='%s']", name);
	nb_cli_enqueue_change(vty, xpath, NB_OP_DESTROY, NULL);
	return swmesh_nb_apply(vty);
}

/* By name and by preference, in whatever order they were configured. */
int swmesh_cli_cmp_encap_set(const struct lyd_node *a, const struct lyd_node *b)
{
	return strcmp(yang_dnode_get_string(a, "./name"),
		      yang_dnode_get_string(b, "./name"));
}

int swmesh_cli_cmp_tunnel(const struct lyd_node *a, const struct lyd_node *b)
{
	return numcmp(yang_dnode_get_uint16(a, "./preference"),
		      yang_dnode_get_uint16(b, "./preference"));
}

void swmesh_cli_show_encap_set(struct vty *vty, const struct lyd_node *dnode,
			       bool show_defaults)
{
	vty_out(vty, " encap-set %s\n", yang_dnode_get_string(dnode, "./name"));
}

void swmesh_cli_show_encap_set_end(struct vty *vty,
				   const struct lyd_node *dnode)
{
	vty_out(vty, " exit\n");
}

/* The set that the session is in. */
static const char *current_set(struct vty *vty)
{
	const struct lyd_node *dnode;

	dnode = yang_dnode_get(vty->candidate_config->dnode, VTY_CURR_XPATH);
	return dnode ? yang_dnode_get_string(dnode, "./name") : "?";
}

/* 0 on success. */
static int parse_key(const char *text, uint32_t *key)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || !value ||
	    value > UINT32_MAX)
		return -1;
	*key = value;
	return 0;
}

/* A preference that another type has is not taken over in silence. */
static const char *preference_taken(struct vty *vty, const char *xpath,
				    const char *type)
{
	const struct lyd_node *dnode;
	const char *old;

	dnode = yang_dnode_getf(vty->candidate_config->dnode, "%s%s/type",
				VTY_CURR_XPATH, xpath + 1);
	old = dnode ? yang_dnode_get_string(dnode, NULL) : NULL;
	return old && strcmp(old, type) ? old : NULL;
}

DEFPY_YANG(
	encap_tunnel, encap_tunnel_cmd,
	"tunnel (1-65535)$preference <gre|ip-in-ip|WORD>$type [key WORD$key] [security WORD$security]",
	TUNNEL_STR)
{
	char xpath[64], leaf[80], secured[80], key_text[16];
	const char *taken;
	uint32_t value = 0;

	if (strcmp(type, "gre") && strcmp(type, "ip-in-ip"))
		return swmesh_cli_refuse(
			vty,
			"encap-set %s: tunnel %ld: unknown type %.80s; use gre or ip-in-ip",
			current_set(vty), preference, type);
	if (key && strcmp(type, "gre"))
		return swmesh_cli_refuse(
			vty,
			"encap-set %s: tunnel %ld: %s has no key; leave 'key %.80s' out, or use gre",
			current_set(vty), preference, type, key);
	if (key && parse_key(key, &value))
		return swmesh_cli_refuse(
			vty,
			"encap-set %s: tunnel %ld: key %.80s is out of range; use 1 to 4294967295, or leave it out for GRE without a key",
			current_set(vty), preference, key);
	if (security && !swmesh_cli_name_ok(security))
		return swmesh_cli_refuse(
			vty,
			"encap-set %s: tunnel %ld: security %.80s: not a name; name a security, or 'none'",
			current_set(vty), preference, security);
	snprintf(xpath, sizeof(xpath), "./tunnel[preference='%ld']",
		 preference);
	taken = preference_taken(vty, xpath, type);
	if (taken)
		return swmesh_cli_refuse(
			vty,
			"encap-set %s: preference %ld is taken by %s; choose another one for %s, or enter 'no tunnel %ld' first",
			current_set(vty), preference, taken, type, preference);

	nb_cli_enqueue_change(vty, xpath, NB_OP_CREATE, NULL);
	snprintf(leaf, sizeof(leaf), "%s/type", xpath);
	nb_cli_enqueue_change(vty, leaf, NB_OP_MODIFY, type);
	snprintf(leaf, sizeof(leaf), "%s/key", xpath);
	if (key) {
		snprintf(key_text, sizeof(key_text), "%u", value);
		nb_cli_enqueue_change(vty, leaf, NB_OP_MODIFY, key_text);
	} else
		nb_cli_enqueue_change(vty, leaf, NB_OP_DESTROY, NULL);
	snprintf(secured, sizeof(secured), "%s/security", xpath);
	nb_cli_enqueue_change(vty, secured,
			      security ? NB_OP_MODIFY : NB_OP_DESTROY,
			      security);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(
	no_encap_tunnel, no_encap_tunnel_cmd,
	"no tunnel (1-65535)$preference [<gre|ip-in-ip|WORD> [key WORD] [security WORD]]",
	NO_STR TUNNEL_STR)
{
	char xpath[XPATH_MAXLEN];

	snprintf(xpath, sizeof(xpath), "./tunnel[preference='%ld']",
		 preference);
	nb_cli_enqueue_change(vty, xpath, NB_OP_DESTROY, NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_tunnel(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults)
{
	vty_out(vty, "  tunnel %s %s",
		yang_dnode_get_string(dnode, "./preference"),
		yang_dnode_get_string(dnode, "./type"));
	if (yang_dnode_exists(dnode, "./key"))
		vty_out(vty, " key %s", yang_dnode_get_string(dnode, "./key"));
	if (yang_dnode_exists(dnode, "./security"))
		vty_out(vty, " security %s",
			yang_dnode_get_string(dnode, "./security"));
	vty_out(vty, "\n");
}

DEFPY_YANG(encap_payload, encap_payload_cmd,
	   "[no] payload {ipv4$ipv4|ipv6$ipv6}",
	   NO_STR
	   "Families that the tunnels carry\n"
	   "IPv4 packets\n"
	   "IPv6 packets\n")
{
	enum nb_operation op = no ? NB_OP_DESTROY : NB_OP_CREATE;

	if (ipv4)
		nb_cli_enqueue_change(vty, "./payload", op, "ipv4");
	if (ipv6)
		nb_cli_enqueue_change(vty, "./payload", op, "ipv6");
	return swmesh_nb_apply(vty);
}

/*
 * All families on one line: read back line by line, the set then comes into
 * being with this one, and is never for a moment the duplicate of another.
 */
void swmesh_cli_show_payload(struct vty *vty, const struct lyd_node *dnode,
			     bool show_defaults)
{
	if (yang_dnode_get(dnode, "../payload[1]") != dnode)
		return;
	vty_out(vty, "  payload%s%s\n",
		yang_dnode_exists(dnode, "../payload[.='ipv4']") ? " ipv4" : "",
		yang_dnode_exists(dnode, "../payload[.='ipv6']") ? " ipv6"
								 : "");
}

/* ---- nodes ---- */

static int config_write(struct vty *vty)
{
	const struct lyd_node *dnode;

	dnode = yang_dnode_get(running_config->dnode, SWMESH_MESH_XPATH);
	if (!dnode)
		return 0;
	nb_cli_show_dnode_cmds(vty, dnode, false);
	return 1;
}

static struct cmd_node mesh_node = {
	.name = "softwire mesh",
	.node = SWMESH_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-softwire-mesh)# ",
	.config_write = config_write,
};

static struct cmd_node encap_node = {
	.name = "encap-set",
	.node = SWMESH_ENCAP_NODE,
	.parent_node = SWMESH_NODE,
	.prompt = "%s(config-encap-set)# ",
};

void swmesh_cli_init(void)
{
	install_node(&mesh_node);
	install_node(&encap_node);
	install_default(SWMESH_NODE);
	install_default(SWMESH_ENCAP_NODE);

	install_element(CONFIG_NODE, &softwire_mesh_cmd);
	install_element(CONFIG_NODE, &no_softwire_mesh_cmd);

	install_element(SWMESH_NODE, &transit_source_cmd);
	install_element(SWMESH_NODE, &no_transit_cmd);
	install_element(SWMESH_NODE, &transit_interface_cmd);
	install_element(SWMESH_NODE, &transit_list_cmd);
	install_element(SWMESH_NODE, &no_transit_list_cmd);
	install_element(SWMESH_NODE, &sw_nhop_prefix_cmd);
	install_element(SWMESH_NODE, &no_sw_nhop_prefix_cmd);
	install_element(SWMESH_NODE, &peer_policy_cmd);
	install_element(SWMESH_NODE, &no_peer_policy_cmd);
	install_element(SWMESH_NODE, &announce_encap_set_cmd);
	install_element(SWMESH_NODE, &no_announce_cmd);
	install_element(SWMESH_NODE, &encap_set_cmd);
	install_element(SWMESH_NODE, &no_encap_set_cmd);

	install_element(SWMESH_ENCAP_NODE, &encap_tunnel_cmd);
	install_element(SWMESH_ENCAP_NODE, &no_encap_tunnel_cmd);
	install_element(SWMESH_ENCAP_NODE, &encap_payload_cmd);
}
