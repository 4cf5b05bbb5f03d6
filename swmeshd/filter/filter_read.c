// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the table holds, read from nf_tables by netlink: libnftables' "list"
 * reads all elements of all sets for one counter, and at once.
 *
 * Two sockets, since one takes no second request before a dump has ended: sets
 * are read in slices, on the event loop; counters at once, as they are four.
 * Here, too, nothing waits: the kernel answers within the call.
 */
#include <zebra.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "network.h"
#include "thread.h"

#include "swmeshd/filter/filter_element.h"
#include "swmeshd/filter/filter_elements.h"
#include "swmeshd/filter/filter_read.h"
#include "swmeshd/filter/filter_sock.h"
#include "swmeshd/swmesh_nlreply.h"
#include "swmeshd/swmesh_slice.h"
#include "swmeshd/swmeshd.h"

#define READ_OCTETS 65536
#define REQUEST_OCTETS 512

void (*filter_read_done)(const char *err);

static struct mnl_socket *set_sock, *ask_sock;
static uint8_t buf[READ_OCTETS] __attribute__((aligned(NLMSG_ALIGNTO)));

/* The sets, one after the other. */
static struct {
	bool running;
	bool again;	/* from the first set, once this dump has ended */
	bool cancelled; /* not at all, then */
	int family;
	enum filter_set set;
	uint32_t seq;
	unsigned int attempts; /* at this set */
	bool interrupted;      /* it changed meanwhile: NLM_F_DUMP_INTR */
	struct thread *t_next;
} reading;

/* ---- the sockets ---- */

bool filter_read_open(void)
{
	return filter_sock_open(&set_sock) && filter_sock_open(&ask_sock);
}

static struct nlmsghdr *request(uint8_t *to, uint8_t kind, bool dump)
{
	return filter_sock_message(to, NFNL_SUBSYS_NFTABLES << 8 | kind,
				   dump ? NLM_F_DUMP : NLM_F_ACK,
				   filter_sock_seq());
}

static bool ask(struct mnl_socket **sock, const struct nlmsghdr *nlh)
{
	return filter_sock_open(sock) &&
	       filter_sock_send(*sock, nlh, nlh->nlmsg_len);
}

/* ---- attributes ---- */

#define ATTRS_MAX 32

struct attrs {
	const struct nlattr *a[ATTRS_MAX];
};

static int keep(const struct nlattr *attr, void *arg)
{
	struct attrs *to = arg;

	if (mnl_attr_get_type(attr) < ATTRS_MAX)
		to->a[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static const char *text_of(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0
		       ? mnl_attr_get_str(attr)
		       : "";
}

/* ---- counters ---- */

static uint64_t number_of(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_U64) >= 0
		       ? be64toh(mnl_attr_get_u64(attr))
		       : 0;
}

static int counter(const struct nlmsghdr *nlh, void *arg)
{
	struct filter_count *counts = arg;
	struct attrs obj = {}, data = {};

	if (NFNL_MSG_TYPE(nlh->nlmsg_type) != NFT_MSG_NEWOBJ)
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), keep, &obj);
	if (!obj.a[NFTA_OBJ_DATA] ||
	    strcmp(text_of(obj.a[NFTA_OBJ_TABLE]), FILTER_TABLE))
		return MNL_CB_OK;
	mnl_attr_parse_nested(obj.a[NFTA_OBJ_DATA], keep, &data);
	for (unsigned int i = 0; i < FILTER_COUNTERS; i++) {
		if (strcmp(text_of(obj.a[NFTA_OBJ_NAME]),
			   filter_counter_name(i)))
			continue;
		counts[i].packets = number_of(data.a[NFTA_COUNTER_PACKETS]);
		counts[i].bytes = number_of(data.a[NFTA_COUNTER_BYTES]);
	}
	return MNL_CB_OK;
}

bool filter_read_counters(struct filter_count counts[FILTER_COUNTERS],
			  char *err, size_t len)
{
	bool interrupted = true;
	uint8_t to[REQUEST_OCTETS];
	struct nlmsghdr *nlh;
	int no = 0;

	for (int i = 0; i < NL_DUMP_ATTEMPTS && interrupted && !no; i++) {
		interrupted = false;
		nlh = request(to, NFT_MSG_GETOBJ, true);
		mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, FILTER_TABLE);
		mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
		if (!ask(&ask_sock, nlh))
			no = errno;
		else
			no = nl_reply(ask_sock, buf, sizeof(buf),
				      nlh->nlmsg_seq, counter, counts,
				      &interrupted);
	}
	/* With something changed between two of them all are right still. */
	if (no)
		snprintf(err, len, "the filter's counters cannot be read: %s",
			 safe_strerror(no));
	return no == 0;
}

/* ---- is there a table ---- */

bool filter_read_absent(void)
{
	uint8_t to[REQUEST_OCTETS];
	struct nlmsghdr *nlh = request(to, NFT_MSG_GETTABLE, false);
	bool interrupted = false;
	int no;

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, FILTER_TABLE);
	if (!ask(&ask_sock, nlh))
		no = errno;
	else
		no = nl_reply(ask_sock, buf, sizeof(buf), nlh->nlmsg_seq, NULL,
			      NULL, &interrupted);
	switch (no) {
	case ENOENT:
	case EINVAL:	      /* nfnetlink has no nf_tables ... */
	case EOPNOTSUPP:      /* ... or that none of family inet */
	case EAFNOSUPPORT:    /* ... */
	case EPROTONOSUPPORT: /* the kernel has no nfnetlink */
		return true;
	default:
		return false;
	}
}

/* ---- elements ---- */

static int element(const struct nlattr *attr, void *arg)
{
	struct filter_element e = {.set = reading.set};
	struct attrs elem = {}, data = {};
	const struct nlattr *value;

	if (mnl_attr_get_type(attr) != NFTA_LIST_ELEM)
		return MNL_CB_OK;
	mnl_attr_parse_nested(attr, keep, &elem);
	if (!elem.a[NFTA_SET_ELEM_KEY])
		return MNL_CB_OK;
	mnl_attr_parse_nested(elem.a[NFTA_SET_ELEM_KEY], keep, &data);
	value = data.a[NFTA_DATA_VALUE];
	if (!value)
		return MNL_CB_OK;
	if (filter_key_read(&e, reading.family, mnl_attr_get_payload(value),
			    mnl_attr_get_payload_len(value)))
		filter_elements_found(&e);
	return MNL_CB_OK;
}

static void elements(const struct nlmsghdr *nlh)
{
	struct attrs list = {};

	if (NFNL_MSG_TYPE(nlh->nlmsg_type) != NFT_MSG_NEWSETELEM)
		return;
	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), keep, &list);
	if (list.a[NFTA_SET_ELEM_LIST_ELEMENTS])
		mnl_attr_parse_nested(list.a[NFTA_SET_ELEM_LIST_ELEMENTS],
				      element, NULL);
}

/* ---- the sets, one after the other ---- */

static void read_on(struct thread *t);

static void end(int no)
{
	char err[MESH_REASON_LEN];

	reading.running = false;
	THREAD_OFF(reading.t_next);
	if (reading.cancelled)
		return;
	if (!no) {
		filter_read_done(NULL);
		return;
	}
	snprintf(err, sizeof(err), "the filter's sets cannot be read: %s",
		 no == EINTR ? "they change all the while" : safe_strerror(no));
	filter_read_done(err);
}

static bool ask_set(void)
{
	uint8_t to[REQUEST_OCTETS];
	struct nlmsghdr *nlh = request(to, NFT_MSG_GETSETELEM, true);
	char name[FILTER_SET_NAME_LEN];

	filter_set_name(reading.set, reading.family, name);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, FILTER_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, name);
	reading.seq = nlh->nlmsg_seq;
	reading.interrupted = false;
	if (ask(&set_sock, nlh))
		return true;
	end(errno);
	return false;
}

static bool first_set(void)
{
	reading.again = false;
	reading.set = 0;
	reading.attempts = 0;
	return ask_set();
}

/* The dump of a set has ended. False: so has the reading. */
static bool set_end(int no)
{
	if (reading.again)
		return first_set();
	if (no || reading.cancelled) {
		end(no);
		return false;
	}
	if (!reading.interrupted) {
		reading.set++;
		reading.attempts = 0;
	} else if (++reading.attempts == NL_DUMP_ATTEMPTS) {
		end(EINTR);
		return false;
	}
	if (reading.set < FILTER_SETS)
		return ask_set();
	end(0);
	return false;
}

static bool message(const struct nlmsghdr *nlh)
{
	const int *err = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_seq != reading.seq)
		return true;
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
		return set_end(mnl_nlmsg_get_payload_len(nlh) >= sizeof(*err)
				       ? -*err
				       : 0);
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		reading.interrupted = true;
	if (!reading.again && !reading.cancelled)
		elements(nlh);
	return true;
}

static bool datagram(void)
{
	const struct nlmsghdr *nlh;
	int n;

	n = mnl_socket_recvfrom(set_sock, buf, sizeof(buf));
	if (n < 0 && errno != EINTR) {
		/* What is left of it would be taken for the next one's. */
		n = errno;
		mnl_socket_close(set_sock);
		set_sock = NULL;
		end(n);
		return false;
	}
	/* After the end of a dump nothing follows in the same datagram. */
	for (nlh = (const struct nlmsghdr *)buf; mnl_nlmsg_ok(nlh, n);
	     nlh = mnl_nlmsg_next(nlh, &n))
		if (!message(nlh))
			return false;
	return true;
}

static void read_on(struct thread *t)
{
	struct timeval began;

	monotime(&began);
	while (datagram())
		if (slice_over(&began)) {
			thread_add_event(master, read_on, NULL, 0,
					 &reading.t_next);
			return;
		}
}

void filter_read_begin(int family)
{
	reading.family = family;
	reading.cancelled = false;
	if (reading.running) {
		reading.again = true;
		return;
	}
	reading.running = true;
	if (first_set())
		thread_add_event(master, read_on, NULL, 0, &reading.t_next);
}

void filter_read_cancel(void)
{
	reading.again = false;
	reading.cancelled = true;
}

void filter_read_stop(void)
{
	THREAD_OFF(reading.t_next);
	memset(&reading, 0, sizeof(reading));
	if (set_sock)
		mnl_socket_close(set_sock);
	if (ask_sock)
		mnl_socket_close(ask_sock);
	set_sock = ask_sock = NULL;
}
