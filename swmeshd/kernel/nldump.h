/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the kernel's tables of devices and routes, at once.
 *
 * A table that changes while it is read may be told with an entry missing. On a
 * system with containers devices come and go all the time, so only devices of
 * the kinds that are ours are asked for, which the kernel mostly tells in one
 * go; and what was interrupted is read again.
 */
#ifndef SWMESH_NLDUMP_H
#define SWMESH_NLDUMP_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

/* False, with a log message: there is no socket. */
bool nl_dump_open(void);
void nl_dump_close(void);
uint64_t nl_dumps(void);

/*
 * All devices of our kinds / our IPv6 routes, message by message. False: some
 * may not have been told, see the log; those that were, are there. stats: with
 * counters.
 */
bool nl_dump_links(mnl_cb_t cb, void *arg, bool stats);
bool nl_dump_routes(mnl_cb_t cb, void *arg);

#endif /* SWMESH_NLDUMP_H */
