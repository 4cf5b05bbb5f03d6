/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter backend (S8): table `inet swmesh` of nftables, ours alone. To our
 * endpoint, encapsulated packets (protocols 4, 41, 47, 115) are accepted only
 * from AFBRs that we have a softwire to, and those of protected softwires only
 * out of IPsec; out of the softwires, only packets whose source is routed back
 * into them. The rest is dropped, counted and, if asked, logged.
 */
#ifndef SWMESH_FILTER_H
#define SWMESH_FILTER_H

#include "swmeshd/filter/filter_counters.h"
#include "swmeshd/model/model.h"

void swmesh_filter_init(void);
/* The table stays: it must go on filtering. */
void swmesh_filter_stop(void);
/* The grace time is over: what an earlier run let in and nobody has asked for
 * is shut out. */
void swmesh_filter_sweep(void);

/* struct mesh_ops: bring the table up to date, soon. */
void swmesh_filter_changed(struct mesh *mesh);

/* struct mesh_ops: true: the table lets in what the AFBR sends by this
 * softwire, or there is no table that drops it. False:
 * softwire_event(FILTER_READY) follows, or FILTER_FAILED, any number of times.
 */
bool swmesh_filter_set(struct softwire *sw);

/* Read now; false with a text when the table cannot be read. */
bool swmesh_filter_read(struct filter_count counts[FILTER_COUNTERS], char *err,
			size_t len);
/* Empty, or why the table is not as it should be. */
const char *swmesh_filter_error(void);

#endif /* SWMESH_FILTER_H */
