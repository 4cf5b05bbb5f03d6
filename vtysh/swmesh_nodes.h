/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CLI nodes that FRR does not have, for swmeshd and for vtysh: both must
 * number them alike in a process of their own only, never on a wire.
 *
 * An enum and no macros: vtysh/extract.pl reads install_element() calls after
 * the C preprocessor and finds them by the name of the node.
 */
#ifndef SWMESH_NODES_H
#define SWMESH_NODES_H

#include "lib/command.h"

enum swmesh_node {
	SWMESH_NODE = NODE_TYPE_MAX + 1, /* softwire mesh */
	SWMESH_ENCAP_SET_NODE,		 /* encap-set NAME, under it */
};

#endif /* SWMESH_NODES_H */
