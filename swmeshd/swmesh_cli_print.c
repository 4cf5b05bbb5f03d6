// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines of `security NAME` in the running configuration. */
#include <zebra.h>

#include "command.h"
#include "northbound_cli.h"

#include "swmeshd/swmesh_nb.h"

int swmesh_cli_cmp_security(const struct lyd_node *a, const struct lyd_node *b)
{
	return strcmp(yang_dnode_get_string(a, "./name"),
		      yang_dnode_get_string(b, "./name"));
}

static void show_line(struct vty *vty, const struct lyd_node *dnode,
		      const char *xpath, const char *line)
{
	if (yang_dnode_exists(dnode, xpath) &&
	    !yang_dnode_is_default(dnode, xpath))
		vty_out(vty, "  %s %s\n", line,
			yang_dnode_get_string(dnode, xpath));
}

struct show_list {
	struct vty *vty;
	const char *line;
};

static int show_item(const struct lyd_node *dnode, void *arg)
{
	struct show_list *list = arg;

	vty_out(list->vty, "%s %s\n", list->line,
		yang_dnode_get_string(dnode, NULL));
	return YANG_ITER_CONTINUE;
}

static void show_list(struct vty *vty, const struct lyd_node *dnode,
		      const char *xpath, const char *line)
{
	struct show_list list = {.vty = vty, .line = line};

	yang_dnode_iterate(show_item, &list, dnode, xpath);
}

/* What makes the method comes last: read back line by line, it is complete
 * then. */
static void show_method(struct vty *vty, const struct lyd_node *dnode)
{
	show_line(vty, dnode, "./ike/group-psk/file", "ike group-psk file");
	show_line(vty, dnode, "./ike/group-psk/sealed", "ike group-psk sealed");
	show_list(vty, dnode, "./ike/pki/ca", "  ike pki ca");
	show_list(vty, dnode, "./ike/pki/crl", "  ike pki crl");
	show_line(vty, dnode, "./ike/pki/identity", "ike pki identity");
	show_line(vty, dnode, "./ike/pki/peer-identity",
		  "ike pki peer-identity");
	if (yang_dnode_exists(dnode, "./ike/pki/certificate"))
		vty_out(vty, "  ike pki certificate %s key %s\n",
			yang_dnode_get_string(dnode, "./ike/pki/certificate"),
			yang_dnode_exists(dnode, "./ike/pki/key")
				? yang_dnode_get_string(dnode, "./ike/pki/key")
				: "");
	show_list(vty, dnode, "./ike/raw-key/announce-key",
		  "  ike raw-key announce-key");
	show_line(vty, dnode, "./ike/raw-key/peer-keys",
		  "ike raw-key peer-keys");
	if (!yang_dnode_exists(dnode, "./ike/raw-key/key"))
		return;
	vty_out(vty, "  ike raw-key key %s",
		yang_dnode_get_string(dnode, "./ike/raw-key/key"));
	if (yang_dnode_exists(dnode, "./ike/raw-key/certificate"))
		vty_out(vty, " certificate %s",
			yang_dnode_get_string(dnode,
					      "./ike/raw-key/certificate"));
	vty_out(vty, "\n");
}

static void show_dpd(struct vty *vty, const struct lyd_node *dnode)
{
	uint16_t seconds = yang_dnode_get_uint16(dnode, "./ike/dpd");

	if (yang_dnode_is_default(dnode, "./ike/dpd"))
		return;
	if (seconds)
		vty_out(vty, "  dpd %u\n", seconds);
	else
		vty_out(vty, "  dpd off\n");
}

static void show_ppk(struct vty *vty, const struct lyd_node *dnode)
{
	if (!yang_dnode_exists(dnode, "./ike/ppk/id") ||
	    !yang_dnode_exists(dnode, "./ike/ppk/file"))
		return;
	vty_out(vty, "  ppk id %s file %s%s\n",
		yang_dnode_get_string(dnode, "./ike/ppk/id"),
		yang_dnode_get_string(dnode, "./ike/ppk/file"),
		yang_dnode_get_bool(dnode, "./ike/ppk/required") ? " required"
								 : "");
}

void swmesh_cli_show_security(struct vty *vty, const struct lyd_node *dnode,
			      bool show_defaults)
{
	vty_out(vty, " security %s\n", yang_dnode_get_string(dnode, "./name"));
	show_method(vty, dnode);
	show_line(vty, dnode, "./ike/proposals", "ike proposal");
	if (yang_dnode_exists(dnode, "./ipsec/proposals"))
		vty_out(vty, "  %s %s\n",
			yang_dnode_get_string(dnode, "./ipsec/protocol"),
			yang_dnode_get_string(dnode, "./ipsec/proposals"));
	else if (!yang_dnode_is_default(dnode, "./ipsec/protocol"))
		vty_out(vty, "  ah sha256\n");
	show_line(vty, dnode, "./ike/rekey", "rekey ike");
	show_line(vty, dnode, "./ipsec/rekey", "rekey sa");
	show_line(vty, dnode, "./ipsec/replay-window", "replay-window");
	show_dpd(vty, dnode);
	show_ppk(vty, dnode);
}

void swmesh_cli_show_security_end(struct vty *vty, const struct lyd_node *dnode)
{
	vty_out(vty, " exit\n");
}
