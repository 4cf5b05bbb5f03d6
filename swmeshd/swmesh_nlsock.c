// SPDX-License-Identifier: GPL-2.0-or-later
/* Netlink sockets; see swmesh_nlsock.h. */
#include <zebra.h>

#include <linux/netlink.h>

#include "privs.h"

#include "swmeshd/swmesh_nlsock.h"
#include "swmeshd/swmeshd.h"

struct mnl_socket *nl_sock_open(int bus)
{
	struct mnl_socket *sock = NULL;
	int one = 1, no = 0;

	frr_with_privs (&swmesh_privs) {
		sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
		no = errno;
		if (!sock)
			break;
		if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0) {
			no = errno;
			mnl_socket_close(sock);
			sock = NULL;
		}
	}
	if (!sock) {
		errno = no;
		return NULL;
	}
	/* Old kernels lack some of these: then less is said, or more read. */
	mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(sock, NETLINK_CAP_ACK, &one, sizeof(one));
	return sock;
}

void nl_sock_buffer(struct mnl_socket *sock, int octets)
{
	int fd = mnl_socket_get_fd(sock), err = -1;

	frr_with_privs (&swmesh_privs) {
		err = setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets,
				 sizeof(octets));
	}
	if (err)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
}

void nl_sock_patience(struct mnl_socket *sock, unsigned int seconds)
{
	const struct timeval limit = {.tv_sec = seconds};

	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &limit,
		   sizeof(limit));
}

bool nl_sock_join(struct mnl_socket *sock, int group)
{
	int err = -1, no = 0;

	frr_with_privs (&swmesh_privs) {
		err = mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP,
					    &group, sizeof(group));
		no = errno;
	}
	errno = no;
	return err == 0;
}
