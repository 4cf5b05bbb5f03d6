/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversation with bgpd's module (lib/swmesh_msg.h): demands come in, the
 * configuration, the compiled encap-sets and the softwires' states go out.
 */
#ifndef SWMESH_BGP_H
#define SWMESH_BGP_H

#include "lib/swmesh_msg.h"
#include "swmeshd/model/model.h"

void swmesh_bgp_init(void);
void swmesh_bgp_stop(void);

/* For reading only. */
const struct swmesh_msg *swmesh_bgp_conversation(void);

/* struct mesh_ops */
void swmesh_bgp_demand_changed(struct demand *demand);
void swmesh_bgp_config_changed(struct mesh *mesh);
void swmesh_bgp_stale_cancel(struct demand *demand);

#endif /* SWMESH_BGP_H */
