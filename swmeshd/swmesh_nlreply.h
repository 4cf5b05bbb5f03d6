/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole answer to one request, on a netlink socket that waits for it.
 *
 * In place of mnl_cb_run(), which leaves the rest of an interrupted dump in the
 * socket, where it would be taken for the next request's answer. Here what
 * belongs to another request is passed over, so that nothing that went wrong
 * once can spoil what comes after it.
 */
#ifndef SWMESH_NLREPLY_H
#define SWMESH_NLREPLY_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

/* How often a table that changes all the while is asked for. */
#define NL_DUMP_ATTEMPTS 5

/*
 * Read until the answer to request `seq` has ended. buf: room for a datagram;
 * each: called with every message of it, NULL for requests that are only
 * acknowledged. Returns 0 or an errno, the kernel's or the socket's.
 * *interrupted: the table has changed between two of the messages, some of its
 * entries may be missing (NLM_F_DUMP_INTR); all is read to its end all the
 * same.
 */
int nl_reply(struct mnl_socket *sock, void *buf, size_t size, uint32_t seq,
	     mnl_cb_t each, void *arg, bool *interrupted);

#endif /* SWMESH_NLREPLY_H */
