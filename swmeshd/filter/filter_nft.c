// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table in the kernel: libnftables, in this process, and the notifications
 * of nf_tables, by which we learn that somebody else touched the table.
 *
 * libnftables does not tell the port of its socket. What is said of our table
 * right after our first transaction comes from that port, and what later comes
 * from another one is somebody else's.
 */
#include <zebra.h>

#include <fcntl.h>
#include <sys/mman.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>

#include "log.h"
#include "thread.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/filter/filter_change.h"
#include "swmeshd/filter/filter_element.h"
#include "swmeshd/filter/filter_nft.h"
#include "swmeshd/filter/filter_read.h"
#include "swmeshd/filter/filter_sock.h"
#include "swmeshd/swmesh_nlsock.h"
#include "swmeshd/swmesh_slice.h"
#include "swmeshd/swmeshd.h"

#define RCVBUF_OCTETS (4 * 1024 * 1024)
#define READ_OCTETS 65536
#define WHO_LEN 64

void (*filter_nft_touched)(const char *who);

static struct nft_ctx *ctx;
static struct mnl_socket *event_sock;
static struct thread *t_event;
static uint32_t own_port; /* 0: not known yet */

/* What was read since the last look. */
static struct {
	uint32_t port;	   /* of the last message about our table */
	bool touched;	   /* by somebody else */
	bool named;	   /* who did it is known */
	bool lost;	   /* notifications were */
	char who[WHO_LEN]; /* "by nft, process 123" */
} seen;

/* ---- notifications ---- */

static int first_str(const struct nlattr *attr, void *arg)
{
	/* In all of them attribute 1 is the name of the table. */
	if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*(const char **)arg = mnl_attr_get_str(attr);
	return MNL_CB_STOP;
}

static int generation(const struct nlattr *attr, void *arg)
{
	const struct nlattr **a = arg;

	if (mnl_attr_get_type(attr) <= NFTA_GEN_MAX)
		a[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/* A transaction ends with the name of who made it. */
static void read_generation(const struct nlmsghdr *nlh)
{
	const struct nlattr *a[NFTA_GEN_MAX + 1] = {};
	const char *name = "somebody";
	unsigned int pid = 0;

	if (!seen.touched || seen.named)
		return;
	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), generation, a);
	if (a[NFTA_GEN_PROC_NAME] &&
	    mnl_attr_validate(a[NFTA_GEN_PROC_NAME], MNL_TYPE_NUL_STRING) >= 0)
		name = mnl_attr_get_str(a[NFTA_GEN_PROC_NAME]);
	if (a[NFTA_GEN_PROC_PID] &&
	    mnl_attr_validate(a[NFTA_GEN_PROC_PID], MNL_TYPE_U32) >= 0)
		pid = ntohl(mnl_attr_get_u32(a[NFTA_GEN_PROC_PID]));
	snprintf(seen.who, sizeof(seen.who), "%s, process %u", name, pid);
	seen.named = true;
}

static void notification(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const char *table = NULL;

	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return;
	if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWGEN) {
		read_generation(nlh);
		return;
	}
	if (nfg->nfgen_family != FILTER_FAMILY_INET)
		return;
	mnl_attr_parse(nlh, sizeof(*nfg), first_str, &table);
	if (!table || strcmp(table, FILTER_TABLE))
		return;
	if (nlh->nlmsg_pid == filter_change_port())
		return;
	seen.port = nlh->nlmsg_pid;
	if (own_port && nlh->nlmsg_pid != own_port)
		seen.touched = true;
}

/* Those that are there; for a slice of time, if somebody makes them faster than
 * they are read: what is left is an event of its own. */
static void read_notifications(void)
{
	static uint8_t buf[READ_OCTETS] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *nlh;
	struct timeval began;
	ssize_t n;
	int len;

	monotime(&began);
	while (!slice_over(&began)) {
		n = recv(mnl_socket_get_fd(event_sock), buf, sizeof(buf),
			 MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS)
			seen.lost = true;
		else if (n < 0 && errno != EINTR)
			return;
		len = n;
		for (nlh = (const struct nlmsghdr *)buf; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len))
			notification(nlh);
	}
}

static void tell(void)
{
	bool touched = seen.touched || seen.lost;
	char who[WHO_LEN];

	/* Its end is still to come: told now it would be told twice. */
	if (seen.touched && !seen.named && !seen.lost)
		return;
	strlcpy(who,
		seen.named     ? seen.who
		: seen.touched ? "somebody"
			       : "perhaps somebody",
		sizeof(who));
	memset(&seen, 0, sizeof(seen));
	if (touched && filter_nft_touched)
		filter_nft_touched(who);
}

static void read_events(struct thread *t)
{
	thread_add_read(master, read_events, NULL,
			mnl_socket_get_fd(event_sock), &t_event);
	read_notifications();
	tell();
}

/* ---- opening ---- */

static bool open_event_socket(void)
{
	if (!filter_sock_open(&event_sock))
		return false;
	if (!nl_sock_join(event_sock, NFNLGRP_NFTABLES)) {
		mnl_socket_close(event_sock);
		event_sock = NULL;
		return false;
	}
	nl_sock_buffer(event_sock, RCVBUF_OCTETS);
	return true;
}

/*
 * libnftables ends the process when it gets no memory, or no netlink socket:
 * one for each transaction, by which it reads the names of devices, besides its
 * first one. So some descriptors are kept for it, and it is only called when
 * what it needs is to be had: the reserve is of no use when the limit itself
 * was lowered.
 */
#define RESERVE 3
/* More than a transaction takes: two for its messages, the rest for words. */
#define MEMORY_OCTETS (16 * 1024 * 1024)

static int reserve[RESERVE] = {-1, -1, -1};

static void reserve_take(void)
{
	for (unsigned int i = 0; i < array_size(reserve); i++)
		if (reserve[i] < 0)
			reserve[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void reserve_give(void)
{
	for (unsigned int i = 0; i < array_size(reserve); i++) {
		if (reserve[i] >= 0)
			close(reserve[i]);
		reserve[i] = -1;
	}
}

static bool memory_there(char *err, size_t len)
{
	void *p = mmap(NULL, MEMORY_OCTETS, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED) {
		munmap(p, MEMORY_OCTETS);
		return true;
	}
	snprintf(
		err, len,
		"swmeshd has no memory left for it; see VmSize in /proc/%d/status and the limits in /proc/%d/limits",
		(int)getpid(), (int)getpid());
	return false;
}

static bool give_descriptors(char *err, size_t len)
{
	struct mnl_socket *sock;
	int fd = -1, no;

	reserve_give();
	sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (sock)
		fd = dup(mnl_socket_get_fd(sock));
	no = errno;
	if (fd >= 0)
		close(fd);
	if (sock)
		mnl_socket_close(sock);
	/* It waits by select(), which knows no higher ones. */
	if (fd >= 0 && (ctx || fd < FD_SETSIZE))
		return true;
	reserve_take();
	snprintf(
		err, len,
		"swmeshd has no file descriptors left for it: %s; see 'ls /proc/%d/fd' and the limits in /proc/%d/limits",
		fd < 0 ? safe_strerror(no) : "too many are in use",
		(int)getpid(), (int)getpid());
	return false;
}

static bool nft_open(char *err, size_t len)
{
	int no = 0;

	if (ctx)
		return true;
	if (!filter_read_open() || !filter_change_open())
		no = errno;
	frr_with_privs (&swmesh_privs) {
		if (!no && !event_sock && !open_event_socket())
			no = errno;
		if (!no)
			ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	}
	if (no) {
		snprintf(
			err, len,
			"no talking to the kernel's nf_tables: %s; load the module nf_tables, or configure 'filter off'",
			safe_strerror(no));
		return false;
	}
	if (!ctx || nft_ctx_buffer_output(ctx) || nft_ctx_buffer_error(ctx)) {
		snprintf(err, len, "libnftables cannot be used: no memory");
		filter_nft_stop();
		return false;
	}
	thread_add_read(master, read_events, NULL,
			mnl_socket_get_fd(event_sock), &t_event);
	return true;
}

/* Till nft_done() the reserve is libnftables'. */
static bool nft_begin(char *err, size_t len)
{
	if (!memory_there(err, len) || !give_descriptors(err, len))
		return false;
	if (nft_open(err, len))
		return true;
	reserve_take();
	return false;
}

static void nft_done(void)
{
	reserve_take();
}

/* ---- running ---- */

/* Of nft's words the first line, without "internal:0:0-0: Error: ". */
static void error_text(const char *words, char *err, size_t len)
{
	const char *start = strstr(words, "Error: ");

	start = start ? start + strlen("Error: ") : words;
	snprintf(err, len, "the kernel refused the filter: %.*s",
		 (int)strcspn(start, "\n"), start);
}

static bool run(const char *commands, char *err, size_t len)
{
	int ret = -1;

	frr_with_privs (&swmesh_privs) {
		ret = nft_run_cmd_from_buffer(ctx, commands);
	}
	if (ret)
		error_text(nft_ctx_get_error_buffer(ctx), err, len);
	return ret == 0;
}

bool filter_nft_run(const char *commands, char *err, size_t len)
{
	bool ok;

	if (!nft_begin(err, len))
		return false;
	read_notifications();
	DEBUGD(&swmesh_dbg_kernel, "filter: %zu octets of commands",
	       strlen(commands));
	ok = run(commands, err, len);
	(void)nft_ctx_get_output_buffer(ctx); /* empties it */
	nft_done();
	seen.port = 0;
	read_notifications();
	if (ok && !own_port)
		own_port = seen.port;
	/* A transaction of thousands of elements may overrun by itself. */
	seen.lost = false;
	tell();
	return ok;
}

void filter_nft_init(void)
{
	reserve_take();
}

void filter_nft_stop(void)
{
	THREAD_OFF(t_event);
	if (ctx)
		nft_ctx_free(ctx);
	if (event_sock)
		mnl_socket_close(event_sock);
	reserve_give();
	ctx = NULL;
	event_sock = NULL;
	own_port = 0;
}
