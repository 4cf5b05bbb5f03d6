/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversation with zebra: our addresses, the ways to the endpoints (next-hop
 * tracking), and the opaque channel to bgpd's module.
 */
#ifndef SWMESH_ZEBRA_H
#define SWMESH_ZEBRA_H

#include "swmeshd/model/model.h"

void swmesh_zebra_init(void);
void swmesh_zebra_stop(void);

bool swmesh_zebra_connected(void);
/* struct mesh_ops */
void swmesh_zebra_track(struct afbr *afbr);
void swmesh_zebra_untrack(struct afbr *afbr);
enum own_address swmesh_zebra_address(const struct ipaddr *addr);
void swmesh_zebra_config_changed(struct mesh *mesh);

/* ---- the opaque channel ---- */

struct zebra_channel {
	/* The way through zebra is there (again). */
	void (*connected)(void);
	/* A frame from bgpd's module. */
	void (*receive)(const uint8_t *data, size_t len);
};

/* Who speaks with the module; before swmesh_zebra_init(). channel: static. */
void swmesh_zebra_channel(const struct zebra_channel *channel);
/* Send to bgpd's module; false: not taken. */
bool swmesh_zebra_send_opaque(const uint8_t *data, size_t len);

#endif /* SWMESH_ZEBRA_H */
