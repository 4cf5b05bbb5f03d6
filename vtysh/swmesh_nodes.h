/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CLI nodes that FRR does not have, for swmeshd and for vtysh. */
#ifndef SWMESH_NODES_H
#define SWMESH_NODES_H

/*
 * "softwire mesh", "encap-set NAME" and "security NAME", after the nodes of
 * FRR's own daemons. extract.pl runs the preprocessor first and then looks for
 * install_element() with the name of a node: it must still see that.
 */
#ifndef VTYSH_EXTRACT_PL
#define SWMESH_NODE ((enum node_type)(NODE_TYPE_MAX + 1))
#define SWMESH_ENCAP_NODE ((enum node_type)(NODE_TYPE_MAX + 2))
#define SWMESH_SECURITY_NODE ((enum node_type)(NODE_TYPE_MAX + 3))
#endif

#endif /* SWMESH_NODES_H */
