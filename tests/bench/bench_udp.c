// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Send UDP datagrams as fast as it goes for some seconds, many a call:
 *
 *	bench_udp ADDRESS PORT SECONDS OCTETS
 *
 * prints how many left. IPv4 only; what the network does with them is for
 * others to count.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BURST 64
#define OCTETS_MAX 1400

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int connected(const char *address, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	return fd;
}

static unsigned long long blast(int fd, double seconds, size_t octets)
{
	static char data[OCTETS_MAX];
	struct iovec iov = {.iov_base = data, .iov_len = octets};
	struct mmsghdr burst[BURST];
	unsigned long long sent = 0;
	double end = now() + seconds;

	memset(burst, 0, sizeof(burst));
	for (unsigned int i = 0; i < BURST; i++) {
		burst[i].msg_hdr.msg_iov = &iov;
		burst[i].msg_hdr.msg_iovlen = 1;
	}
	while (now() < end) {
		int n = sendmmsg(fd, burst, BURST, 0);

		if (n > 0)
			sent += (unsigned long long)n;
		else if (errno != ENOBUFS && errno != EAGAIN &&
			 errno != ECONNREFUSED && errno != EINTR)
			break;
	}
	return sent;
}

int main(int argc, char **argv)
{
	size_t octets;
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: %s ADDRESS PORT SECONDS OCTETS\n",
			argv[0]);
		return 2;
	}
	octets = strtoul(argv[4], NULL, 10);
	fd = connected(argv[1], argv[2]);
	if (fd < 0 || octets > OCTETS_MAX) {
		fprintf(stderr, "%s: %s port %s: %s\n", argv[0], argv[1],
			argv[2], strerror(errno));
		return 1;
	}
	printf("%llu\n", blast(fd, strtod(argv[3], NULL), octets));
	return 0;
}
