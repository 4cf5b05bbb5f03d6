// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operational data of what protects the softwires: state/security. As in
 * swmesh_nb_state.c, the northbound asks leaf by leaf.
 */
#include <zebra.h>

#include "monotime.h"

#include "swmeshd/filter/filter.h"
#include "swmeshd/ike/ike_show.h"
#include "swmeshd/swmesh_nb_leaf.h"
#include "swmeshd/swmesh_nb_state.h"
#include "swmeshd/swmesh_show.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_text.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/swmeshd.h"

/* The kernel's counters are read for all SAs at once, at most this often. */
#define STATS_AGE_S 1
#define STATE_SAS_MAX 64

static struct yang_data *text_or_none(const char *xpath, const char *text)
{
	return text && text[0] ? yang_data_new_string(xpath, text) : NULL;
}

static struct yang_data *age(const char *xpath, time_t since)
{
	return since ? yang_data_new_uint32(xpath, monotime(NULL) - since)
		     : NULL;
}

struct yang_data *swmesh_nb_security_charon(struct nb_cb_get_elem_args *args)
{
	struct swmesh_vici_status status = swmesh_vici_status();
	char text[MESH_REASON_LEN];

	snprintf(text, sizeof(text), "%s%s%s",
		 swmesh_vici_state_name(status.state),
		 status.state != SWMESH_VICI_UP && status.error[0] ? ": " : "",
		 status.state != SWMESH_VICI_UP ? status.error : "");
	return yang_data_new_string(args->xpath, text);
}

struct yang_data *
swmesh_nb_security_charon_hangs(struct nb_cb_get_elem_args *args)
{
	return yang_data_new_bool(args->xpath,
				  swmesh_vici_status().hangs_since != 0);
}

/* ---- peer ---- */

const void *swmesh_nb_peer_next(struct nb_cb_get_next_args *args)
{
	return swmesh_ike_peer_after(args->list_entry);
}

int swmesh_nb_peer_keys(struct nb_cb_get_keys_args *args)
{
	const struct ike_peer *peer = args->list_entry;

	args->keys->num = 1;
	snprintfrr(args->keys->key[0], sizeof(args->keys->key[0]), "%pIA",
		   &peer->addr);
	return NB_OK;
}

const void *swmesh_nb_peer_lookup(struct nb_cb_lookup_entry_args *args)
{
	struct ipaddr addr;

	return str2ipaddr(args->keys->key[0], &addr) ? NULL
						     : swmesh_ike_peer(&addr);
}

static struct yang_data *peer_endpoint(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return yang_data_new_ip(xpath, &peer->addr);
}

static struct yang_data *peer_local(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return IS_IPADDR_NONE(&peer->local)
		       ? NULL
		       : yang_data_new_ip(xpath, &peer->local);
}

static struct yang_data *peer_security(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return peer->security
		       ? yang_data_new_string(xpath, peer->security->name)
		       : NULL;
}

static struct yang_data *peer_method(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return peer->security
		       ? yang_data_new_string(
				 xpath, ike_method_name(peer->security->method))
		       : NULL;
}

static struct yang_data *peer_role(const char *xpath, const void *entry)
{
	return yang_data_new_string(xpath, ike_peer_role(entry));
}

static struct yang_data *peer_status(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return yang_data_new_string(xpath, ike_state_name(peer->state));
}

static struct yang_data *peer_protected(const char *xpath, const void *entry)
{
	return yang_data_new_bool(xpath, ike_peer_protected(entry));
}

static struct yang_data *peer_reason(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return text_or_none(xpath, peer->error);
}

static struct yang_data *peer_failures(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return yang_data_new_uint32(xpath, peer->retries);
}

static struct yang_data *peer_local_id(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = ike_peer_sa(entry);

	return sa ? text_or_none(xpath, sa->local_id) : NULL;
}

static struct yang_data *peer_remote_id(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = ike_peer_sa(entry);

	return sa ? text_or_none(xpath, sa->remote_id) : NULL;
}

static struct yang_data *peer_established(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return yang_data_new_uint32(xpath, peer->established);
}

static struct yang_data *peer_rekeys(const char *xpath, const void *entry)
{
	const struct ike_peer *peer = entry;

	return yang_data_new_uint32(xpath, peer->ike_rekeys);
}

static struct xfrm_traffic traffic_of(const struct ike_peer *peer)
{
	static struct xfrm_sa sas[STATE_SAS_MAX];
	static time_t read_at;
	time_t now = monotime(NULL);
	unsigned int n;

	if (!read_at || now - read_at >= STATS_AGE_S) {
		swmesh_xfrm_read_stats();
		read_at = now;
	}
	n = swmesh_xfrm_sas(&peer->local, &peer->addr, sas, STATE_SAS_MAX);
	return swmesh_xfrm_traffic(&peer->local, sas, n);
}

static struct yang_data *peer_in(const char *xpath, const void *entry)
{
	return yang_data_new_uint64(xpath, traffic_of(entry).in);
}

static struct yang_data *peer_out(const char *xpath, const void *entry)
{
	return yang_data_new_uint64(xpath, traffic_of(entry).out);
}

static struct yang_data *peer_refused(const char *xpath, const void *entry)
{
	return yang_data_new_uint64(xpath, traffic_of(entry).refused);
}

static const struct swmesh_nb_leaf peer_leaves[] = {
	{"endpoint", peer_endpoint},
	{"local-endpoint", peer_local},
	{"security", peer_security},
	{"method", peer_method},
	{"role", peer_role},
	{"status", peer_status},
	{"protected", peer_protected},
	{"reason", peer_reason},
	{"failures", peer_failures},
	{"local-identity", peer_local_id},
	{"remote-identity", peer_remote_id},
	{"established", peer_established},
	{"ike-rekeys", peer_rekeys},
	{"in-packets", peer_in},
	{"out-packets", peer_out},
	{"refused-packets", peer_refused},
};

struct yang_data *swmesh_nb_peer_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(peer_leaves, array_size(peer_leaves), args);
}

/* ---- keys: an entry is the hash itself ---- */

static const void *next_hash(const struct ike_hashes *hashes, const void *entry)
{
	const uint8_t(*hash)[KEY_HASH_LEN] = entry;

	hash = hash ? hash + 1 : hashes->hash;
	return hash < hashes->hash + hashes->n ? hash : NULL;
}

const void *swmesh_nb_announced_next(struct nb_cb_get_next_args *args)
{
	const struct ike_peer *peer = args->parent_list_entry;

	return next_hash(&peer->announced, args->list_entry);
}

const void *swmesh_nb_accepted_next(struct nb_cb_get_next_args *args)
{
	const struct ike_peer *peer = args->parent_list_entry;

	return next_hash(&peer->allowed, args->list_entry);
}

struct yang_data *swmesh_nb_hash_elem(struct nb_cb_get_elem_args *args)
{
	char text[SHOW_HASH_LEN];

	return yang_data_new_string(args->xpath,
				    swmesh_show_hash(args->list_entry, text));
}

/* ---- child: what there is of one peer, in a list of our own ---- */

struct child_entry {
	const struct ike_child *child;
	enum ike_kind kind;
};

static struct child_entry children[IKE_CHILDREN + 1];

static void read_children(const struct ike_peer *peer)
{
	unsigned int n = 0;

	for (int kind = 0; kind < IKE_CHILDREN; kind++)
		if (peer->child[kind].wanted)
			children[n++] = (struct child_entry){
				.child = &peer->child[kind], .kind = kind};
	children[n].child = NULL;
}

const void *swmesh_nb_child_next(struct nb_cb_get_next_args *args)
{
	const struct child_entry *entry = args->list_entry;

	if (!entry)
		read_children(args->parent_list_entry);
	entry = entry ? entry + 1 : children;
	return entry->child ? entry : NULL;
}

int swmesh_nb_child_keys(struct nb_cb_get_keys_args *args)
{
	const struct child_entry *entry = args->list_entry;

	args->keys->num = 1;
	strlcpy(args->keys->key[0], ike_kind_name(entry->kind),
		sizeof(args->keys->key[0]));
	return NB_OK;
}

const void *swmesh_nb_child_lookup(struct nb_cb_lookup_entry_args *args)
{
	read_children(args->parent_list_entry);
	for (const struct child_entry *e = children; e->child; e++)
		if (!strcmp(args->keys->key[0], ike_kind_name(e->kind)))
			return e;
	return NULL;
}

static struct yang_data *child_name(const char *xpath, const void *entry)
{
	const struct child_entry *e = entry;

	return yang_data_new_string(xpath, ike_kind_name(e->kind));
}

static struct yang_data *child_protocol(const char *xpath, const void *entry)
{
	const struct child_entry *e = entry;

	return yang_data_new_uint8(xpath, ike_kind_protocol(e->kind));
}

static struct yang_data *child_protection(const char *xpath, const void *entry)
{
	const struct child_entry *e = entry;
	char text[MESH_REASON_LEN];

	return yang_data_new_string(
		xpath, security_text(e->child->security, text, sizeof(text)));
}

static struct yang_data *child_up(const char *xpath, const void *entry)
{
	const struct child_entry *e = entry;

	return yang_data_new_bool(xpath, e->child->up);
}

static struct yang_data *child_age(const char *xpath, const void *entry)
{
	const struct child_entry *e = entry;

	return age(xpath, e->child->since);
}

static struct yang_data *child_rekeys(const char *xpath, const void *entry)
{
	const struct child_entry *e = entry;

	return yang_data_new_uint32(xpath, e->child->rekeys);
}

static struct yang_data *child_spi_in(const char *xpath, const void *entry)
{
	const struct child_entry *e = entry;

	return e->child->up ? yang_data_new_uint32(xpath, e->child->spi_in)
			    : NULL;
}

static struct yang_data *child_spi_out(const char *xpath, const void *entry)
{
	const struct child_entry *e = entry;

	return e->child->up ? yang_data_new_uint32(xpath, e->child->spi_out)
			    : NULL;
}

static const struct swmesh_nb_leaf child_leaves[] = {
	{"name", child_name},
	{"protocol", child_protocol},
	{"protection", child_protection},
	{"up", child_up},
	{"age", child_age},
	{"rekeys", child_rekeys},
	{"spi-in", child_spi_in},
	{"spi-out", child_spi_out},
};

struct yang_data *swmesh_nb_child_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(child_leaves, array_size(child_leaves), args);
}

/* ---- filter ---- */

/* An entry is the counter's name, in a list that ends with NULL. */
static const char *const *filter_names(void)
{
	static const char *names[FILTER_COUNTERS + 1];

	for (int i = 0; i < FILTER_COUNTERS; i++)
		names[i] = filter_counter_name(i);
	return names;
}

const void *swmesh_nb_filter_next(struct nb_cb_get_next_args *args)
{
	const char *const *name = args->list_entry;

	if (swmesh->config.filter.off)
		return NULL;
	name = name ? name + 1 : filter_names();
	return *name ? name : NULL;
}

int swmesh_nb_filter_keys(struct nb_cb_get_keys_args *args)
{
	const char *const *name = args->list_entry;

	args->keys->num = 1;
	strlcpy(args->keys->key[0], *name, sizeof(args->keys->key[0]));
	return NB_OK;
}

const void *swmesh_nb_filter_lookup(struct nb_cb_lookup_entry_args *args)
{
	for (const char *const *name = filter_names(); *name; name++)
		if (!strcmp(args->keys->key[0], *name))
			return name;
	return NULL;
}

static struct filter_count count_of(const void *entry)
{
	struct filter_count counts[FILTER_COUNTERS] = {};
	const char *const *name = entry;
	char err[MESH_REASON_LEN];

	swmesh_filter_read(counts, err, sizeof(err));
	return counts[name - filter_names()];
}

static struct yang_data *filter_name(const char *xpath, const void *entry)
{
	return yang_data_new_string(xpath, *(const char *const *)entry);
}

static struct yang_data *filter_packets(const char *xpath, const void *entry)
{
	return yang_data_new_uint64(xpath, count_of(entry).packets);
}

static struct yang_data *filter_octets(const char *xpath, const void *entry)
{
	return yang_data_new_uint64(xpath, count_of(entry).bytes);
}

static const struct swmesh_nb_leaf filter_leaves[] = {
	{"name", filter_name},
	{"packets", filter_packets},
	{"octets", filter_octets},
};

struct yang_data *swmesh_nb_filter_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(filter_leaves, array_size(filter_leaves),
				  args);
}
