// SPDX-License-Identifier: GPL-2.0-or-later
/* "debug softwire ..."; see swmesh_debug.h. */
#include <zebra.h>

#include "command.h"

#include "swmeshd/swmesh_debug.h"
#ifndef VTYSH_EXTRACT_PL
#include "swmeshd/swmesh_debug_clippy.c"
#endif

struct debug swmesh_dbg_events = {0, "softwire events"};
struct debug swmesh_dbg_kernel = {0, "softwire kernel"};
struct debug swmesh_dbg_zebra = {0, "softwire zebra"};
struct debug swmesh_dbg_bgp = {0, "softwire bgp"};
struct debug swmesh_dbg_ike = {0, "softwire ike"};

static struct debug *const debugs[] = {
	&swmesh_dbg_events, &swmesh_dbg_kernel, &swmesh_dbg_zebra,
	&swmesh_dbg_bgp,    &swmesh_dbg_ike,
};

static void debug_set_all(uint32_t flags, bool set)
{
	for (unsigned int i = 0; i < array_size(debugs); i++) {
		DEBUG_FLAGS_SET(debugs[i], flags, set);
		if (!DEBUG_MODE_CHECK(debugs[i], DEBUG_MODE_ALL))
			DEBUG_CLEAR(debugs[i]);
	}
}

static int debug_write(struct vty *vty, uint32_t mode, const char *prefix)
{
	int written = 0;

	for (unsigned int i = 0; i < array_size(debugs); i++) {
		if (!DEBUG_MODE_CHECK(debugs[i], mode))
			continue;
		vty_out(vty, "%sdebug %s\n", prefix, debugs[i]->desc);
		written++;
	}
	return written;
}

static int debug_config_write(struct vty *vty)
{
	return debug_write(vty, DEBUG_MODE_CONF, "");
}

DEFPY(debug_softwire, debug_softwire_cmd,
      "[no] debug softwire <events|kernel|zebra|bgp|ike>$what",
      NO_STR DEBUG_STR
      "Softwire mesh\n"
      "State machines and choices of tunnels\n"
      "Requests to the kernel and its answers\n"
      "Interfaces and next-hop tracking\n"
      "Conversation with bgpd\n"
      "Conversation with charon, strongSwan's daemon\n")
{
	uint32_t mode = DEBUG_NODE2MODE(vty->node);

	for (unsigned int i = 0; i < array_size(debugs); i++)
		if (!strcmp(debugs[i]->desc + strlen("softwire "), what))
			DEBUG_MODE_SET(debugs[i], mode, !no);
	return CMD_SUCCESS;
}

DEFUN_NOSH(show_debugging_swmeshd, show_debugging_swmeshd_cmd,
	   "show debugging [swmeshd]", SHOW_STR DEBUG_STR "Softwire mesh\n")
{
	vty_out(vty, "Softwire mesh debugging status:\n");
	debug_write(vty, DEBUG_MODE_ALL, "  ");
	return CMD_SUCCESS;
}

static struct debug_callbacks callbacks = {.debug_set_all = debug_set_all};

static struct cmd_node debug_node = {
	.name = "debug",
	.node = DEBUG_NODE,
	.prompt = "",
	.config_write = debug_config_write,
};

void swmesh_debug_init(void)
{
	debug_init(&callbacks);
}

void swmesh_debug_cli_init(void)
{
	install_node(&debug_node);
	install_element(ENABLE_NODE, &debug_softwire_cmd);
	install_element(CONFIG_NODE, &debug_softwire_cmd);
	install_element(ENABLE_NODE, &show_debugging_swmeshd_cmd);
}
