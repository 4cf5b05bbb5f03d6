/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The securities of a draft, with their files read, become the mesh's.
 */
#ifndef SWMESH_ADOPT_H
#define SWMESH_ADOPT_H

#include "swmeshd/config/draft.h"

/* running: reads the configuration that is in force; false: there is no mesh.
 */
void adopt_init(bool (*running)(struct draft *draft));

/* The files of what this commit adds or changes can be used: true, or false
 * with a text for the user. */
bool adopt_check_files(struct draft *draft, enum commit_kind kind, char *errmsg,
		       size_t len);
/*
 * Give the mesh the draft's securities, with their files read; what did not
 * change stays as it is. said: what the user is to be told (S10: group keys are
 * not for meshes where not all trust all).
 */
void adopt_securities(struct draft *draft, char *said, size_t len);

/* Where lines go to besides the log; line NULL: nowhere. */
struct adopt_report {
	void (*line)(void *arg, const char *text);
	void *arg;
};
/*
 * Read all files again. One that cannot be used any more is reported, and what
 * was read before stays in use. How many securities have changed.
 */
unsigned int adopt_reload(struct adopt_report to);

#endif /* SWMESH_ADOPT_H */
