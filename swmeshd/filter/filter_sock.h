/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink sockets of the filter. */
#ifndef SWMESH_FILTER_SOCK_H
#define SWMESH_FILTER_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mnl_socket;
struct nlmsghdr;

/* linux/netfilter.h goes ill with the C library's headers. */
#define FILTER_FAMILY_INET 1 /* NFPROTO_INET */

/* Unless it is open. False: with errno. */
bool filter_sock_open(struct mnl_socket **sock);
/* False: with errno. */
bool filter_sock_send(struct mnl_socket *sock, const void *data, size_t len);
/* Of the next request, for all of these sockets. */
uint32_t filter_sock_seq(void);
/* Write the headers of a message, for family inet. Returns it; attributes are
 * put after them. */
struct nlmsghdr *filter_sock_message(void *to, uint16_t type, uint16_t flags,
				     uint32_t seq);

#endif /* SWMESH_FILTER_SOCK_H */
