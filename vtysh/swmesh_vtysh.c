// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * swmeshd's nodes in vtysh: how they are entered and left, and what the prompt
 * says. Included by the copy of FRR's vtysh.c that vtysh/adapt.py makes, after
 * vtysh_exit() and the "end" command, which it uses.
 *
 * Plain commands need nothing here: extract.pl finds them in swmeshd's and in
 * the bgpd module's sources. A command that changes the node (DEFPY_YANG_NOSH
 * there) needs its twin here; vtysh/extract-commands compares the two and ends
 * the build when one is missing.
 */

static struct cmd_node swmesh_node = {
	.name = "softwire mesh",
	.node = SWMESH_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-softwire-mesh)# ",
};

static struct cmd_node swmesh_encap_set_node = {
	.name = "softwire mesh encap-set",
	.node = SWMESH_ENCAP_NODE,
	.parent_node = SWMESH_NODE,
	.prompt = "%s(config-encap-set)# ",
};

static struct cmd_node swmesh_security_node = {
	.name = "softwire mesh security",
	.node = SWMESH_SECURITY_NODE,
	.parent_node = SWMESH_NODE,
	.prompt = "%s(config-security)# ",
};

DEFUNSH(VTYSH_SWMESHD, vtysh_softwire_mesh, vtysh_softwire_mesh_cmd,
	"softwire mesh",
	"Softwires\n"
	"This router's softwire mesh (RFC 5565)\n")
{
	vty->node = SWMESH_NODE;
	return CMD_SUCCESS;
}

DEFUNSH(VTYSH_SWMESHD, vtysh_swmesh_encap_set, vtysh_swmesh_encap_set_cmd,
	"encap-set WORD",
	"Set of encapsulations that is announced\n"
	"Name of the encap-set\n")
{
	vty->node = SWMESH_ENCAP_NODE;
	return CMD_SUCCESS;
}

DEFUNSH(VTYSH_SWMESHD, vtysh_swmesh_security, vtysh_swmesh_security_cmd,
	"security WORD",
	"How softwires are protected (RFC 5619)\n"
	"Name of the security\n")
{
	vty->node = SWMESH_SECURITY_NODE;
	return CMD_SUCCESS;
}

DEFUNSH(VTYSH_SWMESHD, vtysh_exit_swmeshd, vtysh_exit_swmeshd_cmd, "exit",
	"Exit current mode and down to previous mode\n")
{
	return vtysh_exit(vty);
}

DEFUNSH(VTYSH_SWMESHD, vtysh_quit_swmeshd, vtysh_quit_swmeshd_cmd, "quit",
	"Exit current mode and down to previous mode\n")
{
	return vtysh_exit(vty);
}

static void vtysh_swmesh_init(void)
{
	install_node(&swmesh_node);
	install_element(CONFIG_NODE, &vtysh_softwire_mesh_cmd);
	install_element(SWMESH_NODE, &vtysh_exit_swmeshd_cmd);
	install_element(SWMESH_NODE, &vtysh_quit_swmeshd_cmd);
	install_element(SWMESH_NODE, &vtysh_end_all_cmd);

	install_node(&swmesh_encap_set_node);
	install_element(SWMESH_NODE, &vtysh_swmesh_encap_set_cmd);
	install_element(SWMESH_ENCAP_NODE, &vtysh_exit_swmeshd_cmd);
	install_element(SWMESH_ENCAP_NODE, &vtysh_quit_swmeshd_cmd);
	install_element(SWMESH_ENCAP_NODE, &vtysh_end_all_cmd);

	install_node(&swmesh_security_node);
	install_element(SWMESH_NODE, &vtysh_swmesh_security_cmd);
	install_element(SWMESH_SECURITY_NODE, &vtysh_exit_swmeshd_cmd);
	install_element(SWMESH_SECURITY_NODE, &vtysh_quit_swmeshd_cmd);
	install_element(SWMESH_SECURITY_NODE, &vtysh_end_all_cmd);
}
