/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as a whole, before it is the model's. */
#ifndef SWMESH_DRAFT_H
#define SWMESH_DRAFT_H

#include "swmeshd/model/model.h"

/* Where a commit comes from, which decides what it is refused for. */
enum commit_kind {
	COMMIT_TYPED, /* or another client's: for any fault */
	/* Lines that vtysh has read from a file, up to the next "exit": not for
	 * what is not there yet, or a file that cannot be used, at boot. */
	COMMIT_BLOCK,
	COMMIT_LINE, /* of our own file: for no fault of a security */
};

struct draft {
	struct mesh_config config;
	struct encap_sets_head sets;
	struct securities_head securities; /* their files are not read */
};

/* Empty. */
void draft_init(struct draft *draft);
/* Frees what it holds. */
void draft_clear(struct draft *draft);

/* Call for each name of a security that is in use, until one returns false. */
bool config_security_uses(
	const struct mesh_config *config, struct encap_sets_head *sets,
	bool (*each)(const char *name, const char *user, void *arg), void *arg);
bool config_security_used(const struct mesh_config *config,
			  struct encap_sets_head *sets, const char *name);

#endif /* SWMESH_DRAFT_H */
