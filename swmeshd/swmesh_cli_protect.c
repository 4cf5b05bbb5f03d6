// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration commands of what is protected: encap-sets, BGP's own sessions,
 * and the filter.
 */
#include <zebra.h>

#include "command.h"
#include "northbound_cli.h"

#include "swmeshd/config/adopt.h"
#include "swmeshd/swmesh_nb_commit.h"
#include "swmeshd/swmesh_cli.h"
#include "swmeshd/swmesh_cli_util.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/swmesh_nb.h"
#include "swmeshd/security/seal.h"
#include "swmeshd/swmeshd.h"
#ifndef VTYSH_EXTRACT_PL
#include "swmeshd/swmesh_cli_protect_clippy.c"
#endif

static int refuse_name(struct vty *vty, const char *name)
{
	return swmesh_cli_refuse(
		vty,
		"security %.80s: not a name; use 1 to %u letters, digits and '_', '.', ':', '-'",
		name, SECURITY_NAME_LEN);
}

/* ---- encap-set ---- */

DEFPY_YANG(encap_security, encap_security_cmd, "security WORD$name",
	   "What protects its tunnels\n"
	   "Name of a security; 'none': nothing, and that is meant\n")
{
	if (!swmesh_cli_name_ok(name))
		return refuse_name(vty, name);
	nb_cli_enqueue_change(vty, "./security", NB_OP_MODIFY, name);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_encap_security, no_encap_security_cmd, "no security [WORD]",
	   NO_STR
	   "Nothing protects its tunnels\n"
	   "Name of a security\n")
{
	nb_cli_enqueue_change(vty, "./security", NB_OP_DESTROY, NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_set_security(struct vty *vty, const struct lyd_node *dnode,
				  bool show_defaults)
{
	vty_out(vty, "  security %s\n", yang_dnode_get_string(dnode, NULL));
}

DEFPY_YANG(encap_rfc5566, encap_rfc5566_cmd, "[no] announce rfc5566",
	   NO_STR
	   "What is announced besides\n"
	   "Tunnel types 4 and 5, for peers that know no newer ones\n")
{
	nb_cli_enqueue_change(vty, "./announce-rfc5566", NB_OP_MODIFY,
			      no ? "false" : "true");
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_rfc5566(struct vty *vty, const struct lyd_node *dnode,
			     bool show_defaults)
{
	if (yang_dnode_get_bool(dnode, NULL))
		vty_out(vty, "  announce rfc5566\n");
}

/* ---- ike, filter ---- */

DEFPY_YANG(ike_handshakes, ike_handshakes_cmd, "ike handshakes (1-1000)$number",
	   "IKEv2 (RFC 7296)\n"
	   "How many are set up at a time\n"
	   "Number\n")
{
	nb_cli_enqueue_change(vty, "./ike/handshakes", NB_OP_MODIFY,
			      number_str);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_ike_handshakes, no_ike_handshakes_cmd,
	   "no ike handshakes [(1-1000)]",
	   NO_STR
	   "IKEv2 (RFC 7296)\n"
	   "How many are set up at a time\n"
	   "Number\n")
{
	nb_cli_enqueue_change(vty, "./ike/handshakes", NB_OP_MODIFY, NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_handshakes(struct vty *vty, const struct lyd_node *dnode,
				bool show_defaults)
{
	vty_out(vty, " ike handshakes %s\n",
		yang_dnode_get_string(dnode, NULL));
}

#define FILTER_STR "What is dropped at the end of the softwires\n"

DEFPY_YANG(filter_off, filter_off_cmd, "[no] filter off",
	   NO_STR FILTER_STR "Nothing: no table in the kernel\n")
{
	nb_cli_enqueue_change(vty, "./filter/enabled", NB_OP_MODIFY,
			      no ? "true" : "false");
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(filter_spoof, filter_spoof_cmd,
	   "filter anti-spoof <strict|loose|off>$mode",
	   FILTER_STR
	   "Packets whose inner source is not behind that softwire\n"
	   "It must be routed back into the same softwire\n"
	   "There must be a route to it\n"
	   "It is not looked at\n")
{
	nb_cli_enqueue_change(vty, "./filter/anti-spoof", NB_OP_MODIFY, mode);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_filter_spoof, no_filter_spoof_cmd,
	   "no filter anti-spoof [<strict|loose|off>]",
	   NO_STR FILTER_STR
	   "Packets whose inner source is not behind that softwire\n"
	   "It must be routed back into the same softwire\n"
	   "There must be a route to it\n"
	   "It is not looked at\n")
{
	nb_cli_enqueue_change(vty, "./filter/anti-spoof", NB_OP_MODIFY, NULL);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(filter_log, filter_log_cmd, "filter log [rate (1-1000)$rate]",
	   FILTER_STR
	   "The kernel logs what is dropped\n"
	   "At most\n"
	   "Lines a minute\n")
{
	nb_cli_enqueue_change(vty, "./filter/log", NB_OP_MODIFY, "true");
	nb_cli_enqueue_change(vty, "./filter/log-rate", NB_OP_MODIFY, rate_str);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_filter_log, no_filter_log_cmd, "no filter log [rate [(1-1000)]]",
	   NO_STR FILTER_STR
	   "The kernel logs what is dropped\n"
	   "At most\n"
	   "Lines a minute\n")
{
	nb_cli_enqueue_change(vty, "./filter/log", NB_OP_MODIFY, NULL);
	nb_cli_enqueue_change(vty, "./filter/log-rate", NB_OP_MODIFY, NULL);
	return swmesh_nb_apply(vty);
}

void swmesh_cli_show_filter(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults)
{
	if (!yang_dnode_get_bool(dnode, "./enabled"))
		vty_out(vty, " filter off\n");
	if (!yang_dnode_is_default(dnode, "./anti-spoof"))
		vty_out(vty, " filter anti-spoof %s\n",
			yang_dnode_get_string(dnode, "./anti-spoof"));
	if (!yang_dnode_get_bool(dnode, "./log"))
		return;
	vty_out(vty, " filter log");
	if (!yang_dnode_is_default(dnode, "./log-rate"))
		vty_out(vty, " rate %s",
			yang_dnode_get_string(dnode, "./log-rate"));
	vty_out(vty, "\n");
}

/* ---- protect bgp (S11) ---- */

#define PROTECT_STR                                                            \
	"Protect more than softwires\n"                                        \
	"BGP's own sessions, TCP port 179\n"

DEFPY_YANG(protect_bgp, protect_bgp_cmd, "protect bgp security WORD$name",
	   PROTECT_STR
	   "Between AFBRs, by\n"
	   "Name of the security\n")
{
	if (!swmesh_cli_name_ok(name) || !strcmp(name, SECURITY_NONE))
		return refuse_name(vty, name);
	nb_cli_enqueue_change(vty, "./protect-bgp/security", NB_OP_MODIFY,
			      name);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_protect_bgp, no_protect_bgp_cmd, "no protect bgp security [WORD]",
	   NO_STR PROTECT_STR
	   "Between AFBRs, by\n"
	   "Name of the security\n")
{
	nb_cli_enqueue_change(vty, "./protect-bgp/security", NB_OP_DESTROY,
			      NULL);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(protect_bgp_neighbor, protect_bgp_neighbor_cmd,
	   "[no] protect bgp neighbor <A.B.C.D|X:X::X:X>$neighbor",
	   NO_STR PROTECT_STR
	   "Always, known from BGP or not\n"
	   "Its address\n"
	   "Its address\n")
{
	nb_cli_enqueue_change(vty, "./protect-bgp/neighbor",
			      no ? NB_OP_DESTROY : NB_OP_CREATE, neighbor_str);
	return swmesh_nb_apply(vty);
}

static int show_neighbor(const struct lyd_node *dnode, void *arg)
{
	struct vty *vty = arg;

	vty_out(vty, " protect bgp neighbor %s\n",
		yang_dnode_get_string(dnode, NULL));
	return YANG_ITER_CONTINUE;
}

void swmesh_cli_show_protect_bgp(struct vty *vty, const struct lyd_node *dnode,
				 bool show_defaults)
{
	if (yang_dnode_exists(dnode, "./security"))
		vty_out(vty, " protect bgp security %s\n",
			yang_dnode_get_string(dnode, "./security"));
	yang_dnode_iterate(show_neighbor, vty, dnode, "./neighbor");
}

/* ---- secrets, when asked for, and files ---- */

DEFPY(show_softwire_secrets, show_softwire_secrets_cmd,
      "show softwire security secrets",
      SHOW_STR
      "Softwires\n"
      "How they are protected\n"
      "Group keys that were typed, in clear\n")
{
	struct security *s;
	struct security_blob secret;
	char err[256];

	frr_each (securities, &swmesh->securities, s) {
		if (!s->sealed)
			continue;
		memset(&secret, 0, sizeof(secret));
		if (swmesh_unseal(s->sealed, &secret, err, sizeof(err)))
			vty_out(vty, "security %s: group-psk secret %.*s\n",
				s->name, (int)secret.len,
				(const char *)secret.data);
		else
			vty_out(vty, "security %s: %s\n", s->name, err);
		security_blob_free(&secret);
	}
	return CMD_SUCCESS;
}

static void say_line(void *arg, const char *text)
{
	vty_out(arg, "%s\n", text);
}

DEFPY(clear_softwire_keys, clear_softwire_keys_cmd,
      "clear softwire security keys",
      CLEAR_STR
      "Softwires\n"
      "How they are protected\n"
      "Read the files with keys and certificates again\n")
{
	if (!adopt_reload((struct adopt_report){say_line, vty}))
		vty_out(vty, "No security has changed.\n");
	return CMD_SUCCESS;
}

void swmesh_cli_protect_init(void)
{
	install_element(SWMESH_ENCAP_NODE, &encap_security_cmd);
	install_element(SWMESH_ENCAP_NODE, &no_encap_security_cmd);
	install_element(SWMESH_ENCAP_NODE, &encap_rfc5566_cmd);

	install_element(SWMESH_NODE, &ike_handshakes_cmd);
	install_element(SWMESH_NODE, &no_ike_handshakes_cmd);
	install_element(SWMESH_NODE, &filter_off_cmd);
	install_element(SWMESH_NODE, &filter_spoof_cmd);
	install_element(SWMESH_NODE, &no_filter_spoof_cmd);
	install_element(SWMESH_NODE, &filter_log_cmd);
	install_element(SWMESH_NODE, &no_filter_log_cmd);
	install_element(SWMESH_NODE, &protect_bgp_cmd);
	install_element(SWMESH_NODE, &no_protect_bgp_cmd);
	install_element(SWMESH_NODE, &protect_bgp_neighbor_cmd);

	/* Not for those who may only look. */
	install_element(ENABLE_NODE, &show_softwire_secrets_cmd);
	install_element(ENABLE_NODE, &clear_softwire_keys_cmd);
}
