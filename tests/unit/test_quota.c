/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many softwires a neighbor may have: its limit, its share of the pool,
 * what an attribute counts for, and when refused routes are asked for again.
 */
#include "tests/unit/tea_test.h"

#include "bgpd/swmesh_quota.h"

static const struct swmesh_limit none;

/* Take one softwire after another until one is refused. */
static enum swmesh_verdict fill(struct swmesh_quota *quota,
				const struct swmesh_limit *limit,
				struct swmesh_pool *pool)
{
	enum swmesh_verdict verdict;

	for (;;) {
		verdict = swmesh_quota_ask(quota, limit, pool, 1,
					   SWMESH_STORED_NOT);
		if (verdict > SWMESH_FITS_WARNING)
			return verdict;
		quota->held++;
		pool->used++;
	}
}

static void test_own_limit(void **state)
{
	struct swmesh_pool pool = {.max = SWMESH_POOL_MAX};
	struct swmesh_limit limit = {.max = 50};
	struct swmesh_quota quota = {};

	assert_int_equal(fill(&quota, &limit, &pool), SWMESH_REFUSED_LIMIT);
	assert_int_equal(quota.held, 50);
	/* What others have already counts, too. */
	assert_int_equal(
		swmesh_quota_ask(&quota, &limit, &pool, 1, SWMESH_STORED_OTHER),
		SWMESH_REFUSED_LIMIT);
	limit.warning_only = true;
	assert_int_equal(
		swmesh_quota_ask(&quota, &limit, &pool, 1, SWMESH_STORED_NOT),
		SWMESH_FITS_WARNING);
	assert_int_equal(fill(&quota, &limit, &pool), SWMESH_REFUSED_POOL);
	assert_int_equal(quota.held, SWMESH_POOL_MAX / 4 * 3);
}

/* A route reflector may have three quarters, and a second one that sends the
 * same takes nothing more. */
static void test_reflectors(void **state)
{
	struct swmesh_pool pool = {.max = SWMESH_POOL_MAX};
	struct swmesh_quota first = {}, second = {};

	assert_int_equal(swmesh_quota_share(&first, &pool), 6144);
	assert_int_equal(fill(&first, &none, &pool), SWMESH_REFUSED_POOL);
	assert_int_equal(first.held, 6144);
	assert_int_equal(swmesh_quota_share(&first, &pool), 6144);
	for (; second.held < first.held; second.held++)
		assert_int_equal(swmesh_quota_ask(&second, &none, &pool, 1,
						  SWMESH_STORED_OTHER),
				 SWMESH_FITS);
}

/* Two neighbors hand softwires over: what one has brought in is soon the other
 * one's alone. Together they get no more than any two: 15 of 16. */
static void test_hand_over(void **state)
{
	struct swmesh_pool pool = {.max = SWMESH_POOL_MAX};
	struct swmesh_quota one = {}, other = {};

	for (int times = 0; times < 10; times++) {
		fill(&one, &none, &pool);
		while (one.held &&
		       swmesh_quota_ask(&other, &none, &pool, 1,
					SWMESH_STORED_OTHER) == SWMESH_FITS) {
			other.held++;
			one.held--;
		}
	}
	assert_int_equal(pool.used, one.held + other.held);
	assert_int_equal(pool.used, SWMESH_POOL_MAX / 16 * 15);
	/* What lingers is the neighbor's own still, and taken back for nothing;
	 * another one has no room for it. */
	one.lingering = one.held;
	one.held = 0;
	assert_int_equal(
		swmesh_quota_ask(&one, &none, &pool, 1, SWMESH_STORED_OTHER),
		SWMESH_REFUSED_SHARE);
	assert_int_equal(
		swmesh_quota_ask(&one, &none, &pool, 1, SWMESH_STORED_OWN),
		SWMESH_FITS);
}

/* However many take all they can get, something is left for the next, down to
 * the last one of the pool; and never more than the pool is given. */
static void test_shares(void **state)
{
	struct swmesh_pool pool = {.max = SWMESH_POOL_MAX};
	uint32_t before = UINT32_MAX;

	for (int neighbors = 0; neighbors < 5; neighbors++) {
		struct swmesh_quota quota = {};
		uint32_t left = pool.max - pool.used;

		assert_int_equal(fill(&quota, &none, &pool),
				 SWMESH_REFUSED_POOL);
		assert_in_range(quota.held, left / 4 * 3, left / 4 * 3 + 3);
		assert_true(quota.held < before);
		before = quota.held;
	}
	assert_in_range(pool.used, pool.max - 10, pool.max - 1);
	for (int neighbors = 0; neighbors < 20; neighbors++) {
		struct swmesh_quota quota = {};

		fill(&quota, &none, &pool);
	}
	assert_int_equal(pool.used, pool.max);
}

/* What is stored of a neighbor counts, though it has withdrawn its routes. */
static void test_lingering(void **state)
{
	struct swmesh_pool pool = {.max = SWMESH_POOL_MAX};
	struct swmesh_limit limit = {.max = 50};
	struct swmesh_quota quota = {};

	for (int times = 0; times < 3; times++) {
		fill(&quota, &none, &pool);
		assert_int_equal(pool.used, 6144);
		assert_int_equal(quota.held + quota.lingering, 6144);
		quota.lingering += quota.held;
		quota.held = 0;
	}
	quota.lingering = pool.used = 0;
	for (int times = 0; times < 3; times++) {
		fill(&quota, &limit, &pool);
		assert_in_range(pool.used, 50, 100);
		quota.lingering += quota.held;
		quota.held = 0;
	}
	assert_int_equal(pool.used, 100);
}

/* A pool that has been made smaller than what is used gives nothing. */
static void test_smaller_pool(void **state)
{
	struct swmesh_pool pool = {.max = 10, .used = 20};
	struct swmesh_quota quota = {};

	assert_int_equal(
		swmesh_quota_ask(&quota, &none, &pool, 1, SWMESH_STORED_NOT),
		SWMESH_REFUSED_POOL);
	assert_int_equal(swmesh_quota_share(&quota, &pool), 0);
	pool.max = 21;
	assert_int_equal(
		swmesh_quota_ask(&quota, &none, &pool, 1, SWMESH_STORED_NOT),
		SWMESH_FITS);
	assert_int_equal(
		swmesh_quota_ask(&quota, &none, &pool, 2, SWMESH_STORED_NOT),
		SWMESH_REFUSED_POOL);
}

static void test_asking_again(void **state)
{
	struct swmesh_pool pool = {.max = SWMESH_POOL_MAX};
	struct swmesh_limit limit = {.max = 8};
	struct swmesh_quota quota = {.held = 8};
	int64_t now = 1000, pause = SWMESH_ASK_MIN_MS;

	assert_false(swmesh_quota_waits(&quota));
	swmesh_quota_refused(&quota, SWMESH_REFUSED_LIMIT, 4);
	swmesh_quota_refused(&quota, SWMESH_REFUSED_LIMIT, 2);
	swmesh_quota_refused(&quota, SWMESH_REFUSED_LIMIT, 3);
	assert_int_equal(quota.refused, 3);
	assert_true(swmesh_quota_waits(&quota));
	assert_false(swmesh_quota_may_ask(&quota, &limit, &pool, now));
	quota.held = 7; /* not enough for the smallest of them */
	assert_false(swmesh_quota_may_ask(&quota, &limit, &pool, now));
	quota.held = 6; /* the first time at once */
	assert_true(swmesh_quota_may_ask(&quota, &limit, &pool, now));
	/* Then less and less often, as long as it helps little. */
	for (int i = 0; i < 10; i++) {
		swmesh_quota_asked(&quota, now);
		assert_false(swmesh_quota_waits(&quota));
		assert_false(swmesh_quota_may_ask(&quota, &limit, &pool,
						  now + 10 * pause));
		swmesh_quota_refused(&quota, SWMESH_REFUSED_LIMIT, 1);
		assert_false(swmesh_quota_may_ask(&quota, &limit, &pool,
						  now + pause - 1));
		now += pause;
		assert_true(swmesh_quota_may_ask(&quota, &limit, &pool, now));
		if (pause < SWMESH_ASK_MAX_MS)
			pause *= 2;
	}
	assert_int_equal(quota.pause_ms, SWMESH_ASK_MAX_MS);
	/* Long afterwards it is a new story. */
	now += 10 * pause;
	swmesh_quota_asked(&quota, now);
	assert_int_equal(quota.pause_ms, SWMESH_ASK_MIN_MS);
}

/* What the pool had no room for waits for the pool. */
static void test_waiting_for_the_pool(void **state)
{
	struct swmesh_pool pool = {.max = 100, .used = 100};
	struct swmesh_quota quota = {.held = 10};

	swmesh_quota_refused(&quota, SWMESH_REFUSED_POOL, 1);
	assert_false(swmesh_quota_may_ask(&quota, &none, &pool, 0));
	pool.used = 97; /* 11 > 3 * 2 */
	assert_false(swmesh_quota_may_ask(&quota, &none, &pool, 0));
	pool.used = 95;
	assert_true(swmesh_quota_may_ask(&quota, &none, &pool, 0));
	/* What another has takes nothing from it. */
	swmesh_quota_asked(&quota, 0);
	swmesh_quota_refused(&quota, SWMESH_REFUSED_SHARE, 2);
	assert_true(swmesh_quota_waits(&quota));
	pool.used = 97; /* 12 > 3 * 3 */
	assert_false(
		swmesh_quota_may_ask(&quota, &none, &pool, SWMESH_ASK_MIN_MS));
	pool.used = 96; /* 12 <= 3 * 4, but not <= 3 * 2 */
	assert_true(
		swmesh_quota_may_ask(&quota, &none, &pool, SWMESH_ASK_MIN_MS));
	swmesh_quota_wait_no_more(&quota);
	assert_false(swmesh_quota_waits(&quota));
}

/* The log tells again only after an eighth has been given back. */
static void test_crossing_again(void **state)
{
	struct swmesh_pool pool = {.max = SWMESH_POOL_MAX, .used = 80};
	struct swmesh_limit limit = {.max = 80};
	struct swmesh_quota quota = {.held = 80};

	for (; quota.held > 71; quota.held--)
		assert_false(swmesh_quota_is_low(&quota, &limit, &pool));
	assert_true(swmesh_quota_is_low(&quota, &limit, &pool));
}

/* ---- what an attribute counts for ---- */

#define ENDPOINT_1 "06 0a 00000000 0001 cb007101 "
#define ENDPOINT_2 "06 0a 00000000 0001 cb007102 "
#define ENDPOINT_6 "06 16 00000000 0002 20010db8 00000000 00000000 00000001 "
#define ENDPOINT_NONE "06 06 00000000 0000 "
#define GRE_KEY "01 04 00000064 "

static void add(struct octets *value, uint16_t type, const char *subs)
{
	struct octets tlv = tlv_of(type, subs);

	memcpy(value->at + value->len, tlv.at, tlv.len);
	value->len += tlv.len;
}

static uint32_t weight_of(struct octets value)
{
	uint32_t weight;
	struct tea tea;

	tea_decode(value.at, value.len, NULL, &tea);
	weight = swmesh_weight(&tea);
	tea_free(&tea);
	return weight;
}

/* A real AFBR names itself, in however many tunnels. */
static void test_weight_of_one(void **state)
{
	struct octets value = {};

	assert_int_equal(weight_of(value), 1);
	add(&value, TEA_TYPE_GRE, ENDPOINT_6);
	add(&value, TEA_TYPE_GRE, ENDPOINT_6 GRE_KEY);
	add(&value, TEA_TYPE_IPIP, ENDPOINT_6);
	assert_int_equal(weight_of(value), 1);
}

static void test_weight_of_several(void **state)
{
	struct octets value = {};
	char subs[64];

	add(&value, TEA_TYPE_GRE, ENDPOINT_1);
	add(&value, TEA_TYPE_IPIP, ENDPOINT_2);
	add(&value, TEA_TYPE_GRE, ENDPOINT_6);
	assert_int_equal(weight_of(value), 3);
	add(&value, TEA_TYPE_GRE, ENDPOINT_NONE); /* the next hop */
	add(&value, TEA_TYPE_IPIP, ENDPOINT_NONE);
	assert_int_equal(weight_of(value), 4);
	for (int i = 10; i < 30; i++) {
		snprintf(subs, sizeof(subs), "06 0a 00000000 0001 cb0071%02x ",
			 (unsigned int)i);
		add(&value, TEA_TYPE_GRE, subs);
	}
	assert_int_equal(weight_of(value), SWMESH_WEIGHT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_limit),
		cmocka_unit_test(test_reflectors),
		cmocka_unit_test(test_hand_over),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_lingering),
		cmocka_unit_test(test_smaller_pool),
		cmocka_unit_test(test_asking_again),
		cmocka_unit_test(test_waiting_for_the_pool),
		cmocka_unit_test(test_crossing_again),
		cmocka_unit_test(test_weight_of_one),
		cmocka_unit_test(test_weight_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
