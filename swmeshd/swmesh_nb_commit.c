// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a commit comes from; see swmesh_nb_commit.h. */
#include <zebra.h>

#include "northbound_cli.h"
#include "vty.h"

#include "swmeshd/swmesh_nb_commit.h"
#include "swmeshd/swmeshd.h"

bool nb_commit_from_file(const struct nb_context *context)
{
	const struct vty *vty = context->user;

	if (context->client != NB_CLIENT_CLI || !vty)
		return false;
	return vty->type == VTY_FILE || vty->pending_allowed;
}

/* The vty whose commit is under way, and whether the lines that wait for the
 * end of a transaction come from a file: pre_validate() is told neither. */
static const struct vty *committing;
static bool file_pending;

int swmesh_nb_apply(struct vty *vty)
{
	int ret;

	committing = vty;
	file_pending = vty->pending_allowed;
	ret = nb_cli_apply_changes(vty, NULL);
	committing = NULL;
	return ret;
}

enum commit_kind nb_commit_kind(const struct lyd_node *dnode)
{
	if (committing && committing->type == VTY_FILE)
		return COMMIT_LINE;
	if (committing)
		return committing->pending_allowed ? COMMIT_BLOCK
						   : COMMIT_TYPED;
	while (lyd_parent(dnode))
		dnode = lyd_parent(dnode);
	return file_pending && lyd_first_sibling(dnode) ==
				       lyd_first_sibling(
					       vty_shared_candidate_config
						       ->dnode)
		       ? COMMIT_BLOCK
		       : COMMIT_TYPED;
}
