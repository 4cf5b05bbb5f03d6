/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any octets as the body of an UPDATE, rewritten in every way
 * that the bgpd module does.  A broken promise of bgpd/swmesh_update.h ends in
 * abort().  The first octet chooses the rewrite.
 */
#include <string.h>

#include "bgpd/swmesh_update.h"
#include "tests/fuzz/fuzz.h"

enum { MARK, WITHDRAW, TAKE, KEEP, DROP, KINDS };

/* What an independent walk over the attributes finds. */
struct walk {
	size_t whole; /* octets of whole attributes */
	unsigned int attrs, teas, marked, reach, encaps;
	unsigned int marked_at; /* attributes before it */
	size_t marked_len;
	const uint8_t *marked_value;
};

static struct walk walk(const uint8_t *p, size_t len)
{
	struct walk w = {};

	while (len - w.whole >= 3) {
		const uint8_t *attr = p + w.whole;
		size_t header = attr[0] & 0x10 ? 4 : 3;
		size_t left = len - w.whole;
		size_t value;

		if (left < header)
			break;
		value = header == 4 ? attr[2] * 256u + attr[3] : attr[2];
		if (value > left - header)
			break;
		w.attrs++;
		w.teas += attr[1] == 23;
		w.reach += attr[1] == 14 || attr[1] == 15;
		for (size_t i = 0; attr[1] == 16 && i + 8 <= value; i += 8)
			w.encaps += attr[header + i] == 3 &&
				    attr[header + i + 1] == 12;
		if (update_is_marked(attr[0], attr[1])) {
			w.marked++;
			w.marked_at = w.attrs - 1;
			w.marked_len = value;
			w.marked_value = attr + header;
		}
		w.whole += header + value;
	}
	return w;
}

static void check_withdrawn(const struct update_scan *old,
			    const struct update_scan *now, const struct walk *w,
			    const struct walk *before)
{
	PROMISE(now->nlri_len == 0);
	PROMISE(now->withdrawn_len == old->withdrawn_len + old->nlri_len);
	PROMISE(w->teas == 0 && w->marked == 0);
	PROMISE(w->reach == before->reach);
	PROMISE(w->attrs <= w->reach + 1); /* and the padding */
}

/* The withdrawal as a message of its own, and what is left. */
static void check_taken(struct update_scan *scan)
{
	static uint8_t body[UPDATE_BODY_MAX];
	struct walk before = walk(scan->body + scan->attrs_at, scan->attrs_len);
	struct update_scan old = *scan, now;
	struct walk w;
	size_t len = update_take_withdrawal(scan, body);

	for (size_t i = 0; i < old.len; i++)
		PROMISE(scan->body[i] == 0);
	if (!len) {
		PROMISE(!old.withdrawn_len && !old.nlri_len && !before.reach);
		return;
	}
	PROMISE(len <= old.len && update_scan(&now, body, len));
	w = walk(body + now.attrs_at, now.attrs_len);
	PROMISE(!now.broken && w.whole == now.attrs_len);
	check_withdrawn(&old, &now, &w, &before);
	PROMISE(w.attrs == w.reach);
}

static void check_kept(const struct update_scan *now, const struct walk *w,
		       const uint8_t *tea, size_t len)
{
	PROMISE(now->n_tea == 0);
	/* In front, but for what fills up. */
	PROMISE(w->teas == 0 && w->marked == 1 && w->marked_at <= 1);
	PROMISE(w->marked_len == len);
	PROMISE(len == 0 || !memcmp(w->marked_value, tea, len));
}

static void check_edit(struct update_scan *scan, int kind)
{
	static uint8_t scratch[UPDATE_BODY_MAX], tea[UPDATE_BODY_MAX];
	static uint8_t copy[UPDATE_BODY_MAX];
	const uint8_t *attrs = scan->body + scan->attrs_at;
	struct walk before = walk(attrs, scan->attrs_len);
	bool withdraw = kind == WITHDRAW;
	struct update_edit edit = {.withdraw = withdraw,
				   .keep_tea = kind == KEEP,
				   .drop_encap_communities = !withdraw};
	struct update_scan old = *scan;
	struct update_scan now;
	struct walk w;

	if (kind == KEEP) {
		edit.tea_len = (scan->tea.total - scan->tea.header) / 2;
		memcpy(tea, scan->body + scan->tea.at + scan->tea.header,
		       edit.tea_len);
		edit.tea = tea;
	}
	memcpy(copy, scan->body, scan->len);
	if (!update_rewrite(scan, &edit, scratch)) {
		PROMISE(!memcmp(copy, scan->body, scan->len));
		return;
	}
	PROMISE(update_scan(&now, memcpy(copy, scan->body, old.len), old.len));
	w = walk(scan->body + now.attrs_at, now.attrs_len);
	PROMISE(!now.broken && w.whole == now.attrs_len);
	PROMISE(now.attrs_len == old.attrs_len);
	if (edit.drop_encap_communities)
		PROMISE(w.encaps == 0);
	if (withdraw)
		check_withdrawn(&old, &now, &w, &before);
	else if (kind == KEEP)
		check_kept(&now, &w, tea, edit.tea_len);
	else
		PROMISE(w.teas == 0 && w.marked == 0);
}

static void check_mark(struct update_scan *scan)
{
	const uint8_t *attrs = scan->body + scan->attrs_at;
	struct walk before = walk(attrs, scan->attrs_len);
	struct walk w;

	if (!update_mark_tea(scan))
		return;
	w = walk(attrs, scan->attrs_len);
	PROMISE(w.whole == before.whole && w.attrs == before.attrs);
	PROMISE(w.teas == 0 && w.marked == 1 && w.marked_at == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t body[UPDATE_BODY_MAX];
	struct update_scan scan;
	struct walk w;
	int kind;

	if (!size || size - 1 > sizeof(body))
		return 0;
	kind = data[0] % KINDS;
	memcpy(body, data + 1, size - 1);
	if (!update_scan(&scan, body, size - 1)) {
		PROMISE(!memcmp(body, data + 1, size - 1));
		return 0;
	}
	w = walk(body + scan.attrs_at, scan.attrs_len);
	PROMISE(w.marked == 0); /* none can be forged */
	PROMISE(w.teas == scan.n_tea);
	PROMISE(scan.broken == (w.whole != scan.attrs_len));
	update_has_ip_routes(&scan);
	update_is_of_endpoints(&scan);
	update_has_encap_community(&scan);
	if (kind == TAKE)
		check_taken(&scan);
	else if (kind == WITHDRAW)
		check_edit(&scan, kind);
	else if (scan.broken)
		return 0;
	else if (kind == MARK && scan.n_tea == 1)
		check_mark(&scan);
	else if (kind == DROP || (kind == KEEP && scan.n_tea))
		check_edit(&scan, kind);
	return 0;
}
