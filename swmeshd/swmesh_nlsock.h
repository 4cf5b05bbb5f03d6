/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink sockets, opened the same way for every room that talks with the
 * kernel. All of it with privileges, which are given back. */
#ifndef SWMESH_NLSOCK_H
#define SWMESH_NLSOCK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

/*
 * bus: NETLINK_ROUTE and the like. Errors come with the kernel's text and
 * without the request, where the kernel can do so. NULL, with errno; else to be
 * closed by mnl_socket_close().
 */
struct mnl_socket *nl_sock_open(int bus);

/* A receive buffer of so many octets, or as many as the kernel lets us have:
 * what does not fit is lost (ENOBUFS). */
void nl_sock_buffer(struct mnl_socket *sock, int octets);

/* Receiving from it fails after so many seconds without a message. */
void nl_sock_patience(struct mnl_socket *sock, unsigned int seconds);

/* Notifications of this group. False, with errno. */
bool nl_sock_join(struct mnl_socket *sock, int group);

#endif /* SWMESH_NLSOCK_H */
