// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Elements of the table's sets, added and deleted by netlink.
 *
 * libnftables could take any time for them: it takes the index of a device for
 * a name first, to find which it reads all devices, again and again while
 * devices of others come and go.
 */
#include <zebra.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "swmeshd/filter/filter_change.h"
#include "swmeshd/filter/filter_sock.h"
#include "swmeshd/swmesh_nlreply.h"

/* Of an element: the headers of three attributes, and its key. Of a list: two
 * headers, two names, and the header of its elements. */
#define ELEMENT_OCTETS (3 * 4 + FILTER_KEY_OCTETS)
#define LIST_OCTETS (20 + 4 + 8 + 4 + FILTER_SET_NAME_LEN + 4)
#define MARK_OCTETS 20
#define BATCH_OCTETS                                                           \
	(FILTER_CHANGE_MAX * ELEMENT_OCTETS + 2 * FILTER_SETS * LIST_OCTETS +  \
	 2 * MARK_OCTETS)
#define ANSWER_OCTETS 8192

static struct mnl_socket *sock;

static struct {
	uint8_t octets[BATCH_OCTETS] __attribute__((aligned(NLMSG_ALIGNTO)));
	uint8_t *end;
	uint32_t seq; /* of all its messages: the first answer tells */

	/* The list that is being written; NULL: there is none yet. */
	struct nlmsghdr *list;
	struct nlattr *elements;
	bool add;
	enum filter_set set;
} batch;

static void mark(uint16_t type)
{
	struct nlmsghdr *nlh =
		filter_sock_message(batch.end, type, 0, batch.seq);
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	nfg->nfgen_family = AF_UNSPEC;
	nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
	batch.end = mnl_nlmsg_get_payload_tail(nlh);
}

static void begin_list(bool add, enum filter_set set, int family)
{
	uint16_t type = add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
	char name[FILTER_SET_NAME_LEN];

	batch.list =
		filter_sock_message(batch.end, NFNL_SUBSYS_NFTABLES << 8 | type,
				    add ? NLM_F_CREATE : 0, batch.seq);
	batch.add = add;
	batch.set = set;
	mnl_attr_put_strz(batch.list, NFTA_SET_ELEM_LIST_TABLE, FILTER_TABLE);
	mnl_attr_put_strz(batch.list, NFTA_SET_ELEM_LIST_SET,
			  filter_set_name(set, family, name));
	batch.elements =
		mnl_attr_nest_start(batch.list, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void end_list(void)
{
	mnl_attr_nest_end(batch.list, batch.elements);
	batch.end = mnl_nlmsg_get_payload_tail(batch.list);
}

void filter_change_begin(void)
{
	batch.end = batch.octets;
	batch.seq = filter_sock_seq();
	batch.list = NULL;
	mark(NFNL_MSG_BATCH_BEGIN);
}

void filter_change_put(bool add, const struct filter_element *e, int family)
{
	uint8_t octets[FILTER_KEY_OCTETS];
	size_t len = filter_key_write(e, family, octets);
	struct nlattr *element, *key;

	if (!batch.list || batch.add != add || batch.set != e->set) {
		if (batch.list)
			end_list();
		begin_list(add, e->set, family);
	}
	element = mnl_attr_nest_start(batch.list, NFTA_LIST_ELEM);
	key = mnl_attr_nest_start(batch.list, NFTA_SET_ELEM_KEY);
	mnl_attr_put(batch.list, NFTA_DATA_VALUE, len, octets);
	mnl_attr_nest_end(batch.list, key);
	mnl_attr_nest_end(batch.list, element);
}

static int ask(void)
{
	static uint8_t answer[ANSWER_OCTETS]
		__attribute__((aligned(NLMSG_ALIGNTO)));
	bool interrupted;

	if (!filter_change_open() ||
	    !filter_sock_send(sock, batch.octets, batch.end - batch.octets))
		return errno;
	return nl_reply(sock, answer, sizeof(answer), batch.seq, NULL, NULL,
			&interrupted);
}

/* The kernel answers for each message that it refuses, in their order; and for
 * the last one because it is asked to. */
bool filter_change_commit(char *err, size_t len)
{
	int no;

	batch.list->nlmsg_flags |= NLM_F_ACK;
	end_list();
	mark(NFNL_MSG_BATCH_END);
	no = ask();
	if (no)
		snprintf(err, len, "the kernel refused the filter's AFBRs: %s",
			 safe_strerror(no));
	return no == 0;
}

bool filter_change_open(void)
{
	return filter_sock_open(&sock);
}

uint32_t filter_change_port(void)
{
	return sock ? mnl_socket_get_portid(sock) : 0;
}

void filter_change_stop(void)
{
	if (sock)
		mnl_socket_close(sock);
	sock = NULL;
}
