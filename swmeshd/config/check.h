/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a configuration is refused for as a whole. All return true, or false
 * with a text for the user: the object, the cause and the remedy.
 */
#ifndef SWMESH_CHECK_H
#define SWMESH_CHECK_H

#include "swmeshd/config/draft.h"

bool check_mesh(struct draft *draft, char *errmsg, size_t len);
/* Every security that is named is there and has its method. */
bool check_security_names(struct draft *draft, enum commit_kind kind,
			  char *errmsg, size_t len);
/* The securities that are in use go together. */
bool check_security_uses(struct draft *draft, char *errmsg, size_t len);
/* The security of this name is in use by the mesh and without a fault: what
 * comes from a file may not change that. */
bool check_security_works(const char *name);

#endif /* SWMESH_CHECK_H */
