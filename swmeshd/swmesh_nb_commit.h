/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a commit comes from. */
#ifndef SWMESH_NB_COMMIT_H
#define SWMESH_NB_COMMIT_H

#include "northbound.h"

#include "swmeshd/config/draft.h"

/* nb_cli_apply_changes() for all of our commands. */
int swmesh_nb_apply(struct vty *vty);

enum commit_kind nb_commit_kind(const struct lyd_node *dnode);

/*
 * Configuration that is read from a file is not refused for an address that is
 * not there: at boot it may come up later, and frr.conf must not be lost for
 * that. The mesh then waits for it, and "show softwire" says so.
 */
bool nb_commit_from_file(const struct nb_context *context);

#endif /* SWMESH_NB_COMMIT_H */
