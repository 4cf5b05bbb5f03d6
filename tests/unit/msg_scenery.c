// SPDX-License-Identifier: GPL-2.0-or-later
/* Two ends of a conversation; see msg_scenery.h. */
#include "tests/unit/msg_scenery.h"

void put_object(struct end *end, unsigned int id)
{
	uint8_t key[16] = {id};
	Swmesh__Demand demand = SWMESH__DEMAND__INIT;
	Swmesh__DemandGone gone = SWMESH__DEMAND_GONE__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;
	uint8_t *tea = calloc(1, end->pad + 1);

	if (end->own[id]) {
		demand.sw_nhop.data = key;
		demand.sw_nhop.len = sizeof(key);
		demand.tea.data = tea;
		demand.tea.len = end->pad;
		demand.routes_ipv4 = end->own[id];
		item.body_case = SWMESH__ITEM__BODY_DEMAND;
		item.demand = &demand;
	} else {
		gone.sw_nhop.data = key;
		gone.sw_nhop.len = sizeof(key);
		item.body_case = SWMESH__ITEM__BODY_DEMAND_GONE;
		item.demand_gone = &gone;
	}
	assert_true(swmesh_msg_queue(&end->msg, &item));
	free(tea);
}

void change(struct end *end, unsigned int id, bool there)
{
	end->own[id] = there ? ++end->value_out : 0;
	put_object(end, id);
	swmesh_msg_flush(&end->msg);
}

static bool op_send(void *arg, const uint8_t *data, size_t len)
{
	struct end *end = arg, *to = end->other;

	assert_true(len <= SWMESH_MSG_MAX);
	if (len > end->longest)
		end->longest = len;
	if (end->refuse)
		return false;
	end->sent++;
	if (end->lose && end->lose(end))
		return true;
	assert_int_not_equal((to->tail + 1) % QUEUE, to->head);
	to->queue[to->tail] = malloc(len);
	memcpy(to->queue[to->tail], data, len);
	to->queue_len[to->tail] = len;
	to->tail = (to->tail + 1) % QUEUE;
	return true;
}

static void op_full_state(void *arg)
{
	struct end *end = arg;

	for (unsigned int id = 0; id < OBJECTS; id++)
		if (end->own[id])
			put_object(end, id);
}

static void op_sync_begin(void *arg)
{
	struct end *end = arg;

	end->begins++;
	memset(end->marked, 1, sizeof(end->marked));
}

static void op_sync_end(void *arg)
{
	struct end *end = arg;

	end->ends++;
	for (unsigned int id = 0; id < OBJECTS; id++)
		if (end->marked[id])
			end->replica[id] = 0;
}

static void op_item(void *arg, const Swmesh__Item *item)
{
	struct end *end = arg;
	const ProtobufCBinaryData *key;
	uint32_t value = 0;

	end->items++;
	if (item->body_case == SWMESH__ITEM__BODY_DEMAND) {
		key = &item->demand->sw_nhop;
		value = item->demand->routes_ipv4;
	} else if (item->body_case == SWMESH__ITEM__BODY_DEMAND_GONE) {
		key = &item->demand_gone->sw_nhop;
	} else {
		return;
	}
	if (key->len != 16 || key->data[0] >= OBJECTS)
		return; /* the receiver's to check; see test_msg.c */
	end->replica[key->data[0]] = value;
	end->marked[key->data[0]] = false;
}

static void op_peer(void *arg, bool up)
{
	struct end *end = arg;

	if (up)
		end->ups++;
	else
		end->downs++;
}

static const struct swmesh_msg_ops ops = {
	.send = op_send,
	.full_state = op_full_state,
	.sync_begin = op_sync_begin,
	.sync_end = op_sync_end,
	.item = op_item,
	.peer = op_peer,
};

/* --- two ends ---------------------------------------------------------- */

struct pair *pair_new(void)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	pair->now = 1000000;
	pair->a.other = &pair->b;
	pair->b.other = &pair->a;
	assert_true(swmesh_msg_init(&pair->a.msg, &ops, &pair->a, 11, "a 1"));
	assert_true(swmesh_msg_init(&pair->b.msg, &ops, &pair->b, 22, "b 2"));
	return pair;
}

void drain(struct end *end)
{
	for (; end->head != end->tail; end->head = (end->head + 1) % QUEUE)
		free(end->queue[end->head]);
}

void pair_free(struct pair *pair)
{
	drain(&pair->a);
	drain(&pair->b);
	swmesh_msg_fini(&pair->a.msg);
	swmesh_msg_fini(&pair->b.msg);
	free(pair);
}

bool deliver_one(struct pair *pair, struct end *end)
{
	unsigned int slot = end->head;

	if (slot == end->tail)
		return false;
	end->head = (slot + 1) % QUEUE;
	swmesh_msg_receive(&end->msg, end->queue[slot], end->queue_len[slot],
			   pair->now);
	free(end->queue[slot]);
	return true;
}

unsigned int deliver(struct pair *pair)
{
	unsigned int n = 0;

	while (deliver_one(pair, &pair->a) | deliver_one(pair, &pair->b)) {
		n++;
		assert_true(n < 10000);
	}
	return n;
}

void tick(struct pair *pair)
{
	pair->now += SWMESH_MSG_HELLO_MS;
	swmesh_msg_tick(&pair->a.msg, pair->now);
	swmesh_msg_tick(&pair->b.msg, pair->now);
	deliver(pair);
}

void assert_converged(struct pair *pair)
{
	assert_int_equal(pair->a.msg.state, SWMESH_MSG_SYNCED);
	assert_int_equal(pair->b.msg.state, SWMESH_MSG_SYNCED);
	assert_memory_equal(pair->a.own, pair->b.replica, sizeof(pair->a.own));
	assert_memory_equal(pair->b.own, pair->a.replica, sizeof(pair->b.own));
}

void restart(struct end *end, uint64_t epoch)
{
	swmesh_msg_fini(&end->msg);
	assert_true(swmesh_msg_init(&end->msg, &ops, end, epoch, "restarted"));
	memset(end->replica, 0, sizeof(end->replica));
	memset(end->marked, 0, sizeof(end->marked));
	drain(end);
}
