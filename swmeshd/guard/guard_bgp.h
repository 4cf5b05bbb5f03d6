/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BGP with the neighbors of `protect bgp` is not sent or taken in clear (S11).
 */
#ifndef SWMESH_GUARD_BGP_H
#define SWMESH_GUARD_BGP_H

#include "swmeshd/model/model.h"

void guard_bgp_config_changed(void);
/* struct xfrm_ops: what protects us towards this address has changed. */
void guard_bgp_kernel_changed(const struct ipaddr *remote);
/* The policies stay. */
void guard_bgp_stop(void);

#endif /* SWMESH_GUARD_BGP_H */
