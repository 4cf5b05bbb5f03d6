// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * swmeshd's view of the kernel's IPsec, from messages as the kernel makes them:
 * when is a pair of addresses protected (S9), and when is it not.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"

#include "swmeshd/xfrm/xfrm_view.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd");

#define REQID 7
#define SPI_OUT 0x101
#define SPI_IN 0x102

static struct ipaddr us, them, third;
static unsigned int changes, wide_changes;
static struct ipaddr changed_local, changed_remote;
static uint8_t buf[4096] __attribute__((aligned(8)));

static void changed(const struct ipaddr *local, const struct ipaddr *remote)
{
	changes++;
	changed_local = *local;
	changed_remote = *remote;
}

static void policies_changed(void)
{
	wide_changes++;
}

static const struct view_ops ops = {
	.changed = changed,
	.policies_changed = policies_changed,
};

static int setup(void **state)
{
	str2ipaddr("2001:db8::1", &us);
	str2ipaddr("2001:db8::2", &them);
	str2ipaddr("2001:db8::3", &third);
	changes = wide_changes = 0;
	view_init(&ops);
	return 0;
}

static int teardown(void **state)
{
	view_fini();
	return 0;
}

/* ---- the kernel's messages ---- */

static void selector(struct xfrm_selector *sel, const struct ipaddr *src,
		     const struct ipaddr *dst, uint8_t proto)
{
	memset(sel, 0, sizeof(*sel));
	sel->family = AF_INET6;
	sel->proto = proto;
	if (src) {
		sel->family = view_put_address(src, &sel->saddr);
		sel->prefixlen_s = 128;
	}
	if (dst) {
		sel->family = view_put_address(dst, &sel->daddr);
		sel->prefixlen_d = 128;
	}
}

static struct nlmsghdr *message(uint16_t type)
{
	struct nlmsghdr *nlh;

	memset(buf, 0, sizeof(buf));
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	return nlh;
}

static void sa_info(struct xfrm_usersa_info *info, const struct ipaddr *src,
		    const struct ipaddr *dst, uint32_t spi)
{
	memset(info, 0, sizeof(*info));
	info->family = view_put_address(src, &info->saddr);
	view_put_address(dst, &info->id.daddr);
	info->id.spi = htonl(spi);
	info->id.proto = IPPROTO_ESP;
	info->reqid = REQID;
	info->mode = XFRM_MODE_TRANSPORT;
	selector(&info->sel, src, dst, IPPROTO_GRE);
}

static void put_key(struct nlmsghdr *nlh)
{
	struct xfrm_algo_aead alg = {.alg_name = "rfc4106(gcm(aes))"};

	mnl_attr_put(nlh, XFRMA_ALG_AEAD, sizeof(alg), &alg);
}

static void sa_add(const struct ipaddr *src, const struct ipaddr *dst,
		   uint32_t spi)
{
	struct nlmsghdr *nlh = message(XFRM_MSG_NEWSA);

	sa_info(mnl_nlmsg_put_extra_header(nlh,
					   sizeof(struct xfrm_usersa_info)),
		src, dst, spi);
	put_key(nlh);
	assert_int_equal(view_message(nlh), VIEW_OK);
}

static void sa_del(const struct ipaddr *src, const struct ipaddr *dst,
		   uint32_t spi)
{
	struct nlmsghdr *nlh = message(XFRM_MSG_DELSA);
	struct xfrm_usersa_info info;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct xfrm_usersa_id));
	sa_info(&info, src, dst, spi);
	mnl_attr_put(nlh, XFRMA_SA, sizeof(info), &info);
	view_message(nlh);
}

static void sa_expire(const struct ipaddr *src, const struct ipaddr *dst,
		      uint32_t spi, bool hard)
{
	struct nlmsghdr *nlh = message(XFRM_MSG_EXPIRE);
	struct xfrm_user_expire *expire;

	expire = mnl_nlmsg_put_extra_header(nlh, sizeof(*expire));
	sa_info(&expire->state, src, dst, spi);
	expire->hard = hard;
	view_message(nlh);
}

struct policy {
	const struct ipaddr *src, *dst;
	uint8_t proto, dir, action;
	uint32_t priority, index;
	bool tmpl, optional;
	uint32_t reqid;
	uint8_t mode;
	uint16_t sport, dport;
};

static const struct policy out_policy = {.src = &us,
					 .dst = &them,
					 .proto = IPPROTO_GRE,
					 .dir = XFRM_POLICY_OUT,
					 .priority = 1000,
					 .index = 9,
					 .tmpl = true,
					 .reqid = REQID};
static const struct policy in_policy = {.src = &them,
					.dst = &us,
					.proto = IPPROTO_GRE,
					.dir = XFRM_POLICY_IN,
					.priority = 1000,
					.index = 16,
					.tmpl = true,
					.reqid = REQID};

static void policy_info(struct xfrm_userpolicy_info *info,
			const struct policy *p)
{
	memset(info, 0, sizeof(*info));
	selector(&info->sel, p->src, p->dst, p->proto);
	if (p->sport) {
		info->sel.sport = htons(p->sport);
		info->sel.sport_mask = 0xffff;
	}
	if (p->dport) {
		info->sel.dport = htons(p->dport);
		info->sel.dport_mask = 0xffff;
	}
	info->priority = p->priority;
	info->index = p->index;
	info->dir = p->dir;
	info->action = p->action;
}

static struct nlmsghdr *policy_message(const struct policy *p)
{
	struct nlmsghdr *nlh = message(XFRM_MSG_NEWPOLICY);
	struct xfrm_user_tmpl tmpl = {};

	policy_info(mnl_nlmsg_put_extra_header(
			    nlh, sizeof(struct xfrm_userpolicy_info)),
		    p);
	if (p->tmpl) {
		tmpl.id.proto = IPPROTO_ESP;
		tmpl.family = AF_INET6;
		tmpl.reqid = p->reqid;
		tmpl.mode = p->mode;
		tmpl.optional = p->optional;
		mnl_attr_put(nlh, XFRMA_TMPL, sizeof(tmpl), &tmpl);
	}
	return nlh;
}

static void policy_add(const struct policy *p)
{
	assert_int_equal(view_message(policy_message(p)), VIEW_OK);
}

static void policy_del(const struct policy *p)
{
	struct nlmsghdr *nlh = message(XFRM_MSG_DELPOLICY);
	struct xfrm_userpolicy_info info;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct xfrm_userpolicy_id));
	policy_info(&info, p);
	mnl_attr_put(nlh, XFRMA_POLICY, sizeof(info), &info);
	view_message(nlh);
}

static void protect(void)
{
	sa_add(&us, &them, SPI_OUT);
	sa_add(&them, &us, SPI_IN);
	policy_add(&out_policy);
	policy_add(&in_policy);
}

static bool is_protected(uint8_t protocol)
{
	struct xfrm_child child;

	return view_child(&us, &them, protocol, 0, 0, &child);
}

/* ---- what protects ---- */

static void test_protected(void **state)
{
	struct xfrm_child child;

	protect();
	assert_true(view_child(&us, &them, IPPROTO_GRE, 0, 0, &child));
	assert_true(child.out_policy && child.in_policy);
	assert_int_equal(child.n_out, 1);
	assert_int_equal(child.n_in, 1);
	assert_int_equal(child.spi_out, SPI_OUT);
	assert_int_equal(child.spi_in, SPI_IN);
	assert_int_equal(child.reqid, REQID);
	assert_int_equal(child.protocol, IPPROTO_ESP);
	assert_false(is_protected(IPPROTO_IPIP));
	assert_false(view_child(&us, &third, IPPROTO_GRE, 0, 0, &child));
	/* The other end sees it the other way round, and this is not it. */
	assert_false(view_child(&them, &us, IPPROTO_GRE, 0, 0, &child));
}

static void test_each_part_is_needed(void **state)
{
	protect();
	sa_del(&us, &them, SPI_OUT);
	assert_false(is_protected(IPPROTO_GRE));
	sa_add(&us, &them, SPI_OUT);
	assert_true(is_protected(IPPROTO_GRE));
	sa_del(&them, &us, SPI_IN);
	assert_false(is_protected(IPPROTO_GRE));
	sa_add(&them, &us, SPI_IN);
	policy_del(&out_policy);
	assert_false(is_protected(IPPROTO_GRE));
	policy_add(&out_policy);
	policy_del(&in_policy);
	assert_false(is_protected(IPPROTO_GRE));
}

/* charon reserves an SPI: the SA is in the dump, and carries nothing. */
static void test_larval(void **state)
{
	struct nlmsghdr *nlh;

	policy_add(&out_policy);
	policy_add(&in_policy);
	sa_add(&us, &them, SPI_OUT);
	nlh = message(XFRM_MSG_NEWSA);
	sa_info(mnl_nlmsg_put_extra_header(nlh,
					   sizeof(struct xfrm_usersa_info)),
		&them, &us, SPI_IN);
	view_message(nlh);
	assert_false(is_protected(IPPROTO_GRE));
	sa_add(&them, &us, SPI_IN);
	assert_true(is_protected(IPPROTO_GRE));
}

static void test_expiry(void **state)
{
	struct view_sas_head *sas;

	protect();
	sa_expire(&us, &them, SPI_OUT, false);
	assert_true(is_protected(IPPROTO_GRE));
	sas = view_pair_sas(&them, &us);
	assert_non_null(sas);
	assert_true(view_sas_first(sas)->sa.dying);
	sa_expire(&us, &them, SPI_OUT, true);
	assert_false(is_protected(IPPROTO_GRE));
	view_tell();
	assert_int_equal(changes, 1);
}

static void test_wrong_reqid_or_mode(void **state)
{
	struct policy p = out_policy;

	protect();
	p.reqid = REQID + 1;
	policy_add(&p);
	assert_false(is_protected(IPPROTO_GRE));
	p.reqid = REQID;
	p.mode = XFRM_MODE_TUNNEL;
	policy_add(&p);
	assert_false(is_protected(IPPROTO_GRE));
	policy_add(&out_policy);
	assert_true(is_protected(IPPROTO_GRE));
}

/* An optional template lets in what comes in clear. */
static void test_optional_template(void **state)
{
	struct policy p = in_policy;

	protect();
	p.optional = true;
	policy_add(&p);
	assert_false(is_protected(IPPROTO_GRE));
}

/* The lower number goes first: a bypass of somebody's opens everything. */
static void test_other_policy_wins(void **state)
{
	struct policy wide = {
		.src = &us, .dir = XFRM_POLICY_OUT, .priority = 5, .index = 33};

	protect();
	view_tell();
	changes = 0;
	policy_add(&wide);
	assert_false(is_protected(IPPROTO_GRE));
	view_tell();
	assert_int_equal(wide_changes, 1);
	assert_int_equal(changes, 1);
	wide.priority = 5000;
	policy_add(&wide);
	assert_true(is_protected(IPPROTO_GRE));
	/* Of two alike nobody knows which the kernel takes. */
	wide.priority = out_policy.priority;
	policy_add(&wide);
	assert_false(is_protected(IPPROTO_GRE));
	policy_del(&wide);
	assert_true(is_protected(IPPROTO_GRE));
}

static void test_drop_policy_is_no_protection(void **state)
{
	struct policy guard = {.src = &us,
			       .proto = IPPROTO_GRE,
			       .dir = XFRM_POLICY_OUT,
			       .action = XFRM_POLICY_BLOCK,
			       .priority = 0xffff5357,
			       .index = 41};

	policy_add(&guard);
	assert_false(is_protected(IPPROTO_GRE));
	protect();
	assert_true(is_protected(IPPROTO_GRE));
	policy_del(&out_policy);
	assert_false(is_protected(IPPROTO_GRE));
}

/* A policy or SA for marked packets, or an xfrm interface, is not for ours. */
static void test_marks(void **state)
{
	struct xfrm_mark mark = {.v = 1, .m = 1};
	struct nlmsghdr *nlh;
	uint32_t if_id = 3;

	sa_add(&us, &them, SPI_OUT);
	sa_add(&them, &us, SPI_IN);
	policy_add(&in_policy);
	nlh = policy_message(&out_policy);
	mnl_attr_put(nlh, XFRMA_MARK, sizeof(mark), &mark);
	view_message(nlh);
	assert_false(is_protected(IPPROTO_GRE));
	nlh = policy_message(&out_policy);
	mnl_attr_put_u32(nlh, XFRMA_IF_ID, if_id);
	view_message(nlh);
	assert_false(is_protected(IPPROTO_GRE));
	policy_add(&out_policy);
	assert_true(is_protected(IPPROTO_GRE));
}

/* S11: a child for each end's port 179. */
static void test_ports(void **state)
{
	struct policy out = out_policy, in = in_policy;
	struct xfrm_child child;
	struct nlmsghdr *nlh;
	struct xfrm_usersa_info *info;

	out.proto = in.proto = IPPROTO_TCP;
	out.sport = in.dport = 179;
	policy_add(&out);
	policy_add(&in);
	for (int i = 0; i < 2; i++) {
		nlh = message(XFRM_MSG_NEWSA);
		info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
		sa_info(info, i ? &them : &us, i ? &us : &them,
			i ? SPI_IN : SPI_OUT);
		memset(&info->sel, 0, sizeof(info->sel));
		put_key(nlh);
		view_message(nlh);
	}
	assert_true(view_child(&us, &them, IPPROTO_TCP, 179, 0, &child));
	assert_false(view_child(&us, &them, IPPROTO_TCP, 0, 179, &child));
	assert_false(view_child(&us, &them, IPPROTO_TCP, 0, 0, &child));
}

/* ---- telling ---- */

static void test_told_once_a_burst(void **state)
{
	protect();
	assert_int_equal(changes, 0);
	view_tell();
	assert_int_equal(changes, 1);
	assert_int_equal(ipaddr_cmp(&changed_local, &us), 0);
	assert_int_equal(ipaddr_cmp(&changed_remote, &them), 0);
	/* The same again is no change; counters move all the time. */
	protect();
	view_tell();
	assert_int_equal(changes, 1);
	policy_del(&out_policy);
	policy_del(&in_policy);
	sa_del(&us, &them, SPI_OUT);
	sa_del(&them, &us, SPI_IN);
	view_tell();
	assert_int_equal(changes, 2);
	assert_int_equal(ipaddr_cmp(&changed_local, &us), 0);
	assert_null(view_pair_sas(&us, &them));
}

static void test_dump_tells_what_is_gone(void **state)
{
	protect();
	view_tell();
	view_mark(false);
	view_mark(true);
	sa_add(&us, &them, SPI_OUT);
	policy_add(&out_policy);
	policy_add(&in_policy);
	view_unmarked(false);
	view_unmarked(true);
	assert_false(is_protected(IPPROTO_GRE));
	view_tell();
	assert_int_equal(changes, 2);
	assert_int_equal(view_message(message(XFRM_MSG_FLUSHSA)),
			 VIEW_READ_ANEW);
	assert_int_equal(view_message(message(XFRM_MSG_FLUSHPOLICY)),
			 VIEW_READ_ANEW);
}

/* Every prefix of every message: no crash, no protection out of half of one. */
static void test_short_messages(void **state)
{
	static const uint16_t types[] = {
		XFRM_MSG_NEWSA,	    XFRM_MSG_DELSA,	XFRM_MSG_EXPIRE,
		XFRM_MSG_NEWPOLICY, XFRM_MSG_DELPOLICY, XFRM_MSG_POLEXPIRE,
	};
	struct nlmsghdr *nlh;
	uint32_t whole;

	protect();
	for (unsigned int i = 0; i < array_size(types); i++) {
		nlh = policy_message(&out_policy);
		whole = nlh->nlmsg_len;
		nlh->nlmsg_type = types[i];
		for (uint32_t len = NLMSG_HDRLEN; len < whole; len++) {
			nlh->nlmsg_len = len;
			view_message(nlh);
		}
	}
	view_tell();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_protected, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_each_part_is_needed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_larval, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_reqid_or_mode, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_optional_template, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_other_policy_wins, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_drop_policy_is_no_protection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_told_once_a_burst, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_dump_tells_what_is_gone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_messages, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
