/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IKE backend: security associations by strongSwan's charon, through vici
 * (charon/charon.h), against what the kernel has of them (xfrm/xfrm.h).
 *
 * One peer for each remote AFBR that something wants protected: one connection
 * in charon, one IKE_SA, and a child for each encapsulation protocol of its
 * softwires (S7), and for TCP 179 with `protect bgp` (S11). Of the two ends the
 * one with the lower address initiates. A child is up when the kernel has its
 * SAs and policies; charon's going away changes nothing in that.
 */
#ifndef SWMESH_IKE_H
#define SWMESH_IKE_H

#include "swmeshd/model/model.h"

#define IKE_VICI_PATH "/var/run/charon.vici"

/* Path of charon's socket; before frr_run(). */
void swmesh_ike_init(const char *vici_path);
/* Lets go of charon: its connections and SAs stay. */
void swmesh_ike_stop(void);

/* struct xfrm_ops: what protects this pair has changed in the kernel. */
void swmesh_ike_kernel_changed(const struct ipaddr *local,
			       const struct ipaddr *remote);

/* struct mesh_ops */

/*
 * Protect what the softwire sends and takes, by its `security` and the
 * AFBR's `auth`, or go on if that is done already. True: protected, now. False:
 * softwire_event() with SA_READY or SA_FAILED follows. SA_LOST tells later that
 * it is not protected any more; the backend then rebuilds by itself.
 */
bool swmesh_ike_sa_set(struct softwire *sw, char *err, size_t len);
/* Nothing is sent or taken by it any more. */
void swmesh_ike_sa_release(struct softwire *sw);
bool swmesh_ike_sa_sends(const struct softwire *sw, uint8_t protocol,
			 uint32_t spi);
void swmesh_ike_config_changed(struct mesh *mesh);

/* ---- commands ---- */

/*
 * Rekey the AFBR's SAs in place (hard false) or take them down and build them
 * anew (hard true); NULL: of all. How many peers it concerns.
 */
unsigned int swmesh_ike_clear(const struct ipaddr *addr, bool hard);

#endif /* SWMESH_IKE_H */
