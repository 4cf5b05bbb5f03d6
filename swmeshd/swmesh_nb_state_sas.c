// SPDX-License-Identifier: GPL-2.0-or-later
/* Operational data of IKE SAs and IPsec SAs, as charon tells them:
 * state/security/peer/ike-sa. */
#include <zebra.h>

#include "monotime.h"

#include "swmeshd/ike/ike_show.h"
#include "swmeshd/swmesh_nb_leaf.h"
#include "swmeshd/swmesh_nb_state.h"

/* ---- ike-sa ---- */

const void *swmesh_nb_ike_sa_next(struct nb_cb_get_next_args *args)
{
	const struct ike_peer *peer = args->parent_list_entry;

	return args->list_entry
		       ? ike_sas_const_next(&peer->sas, args->list_entry)
		       : ike_sas_const_first(&peer->sas);
}

int swmesh_nb_ike_sa_keys(struct nb_cb_get_keys_args *args)
{
	const struct ike_sa *sa = args->list_entry;

	args->keys->num = 1;
	snprintf(args->keys->key[0], sizeof(args->keys->key[0]), "%u", sa->id);
	return NB_OK;
}

const void *swmesh_nb_ike_sa_lookup(struct nb_cb_lookup_entry_args *args)
{
	const struct ike_peer *peer = args->parent_list_entry;
	const struct ike_sa *sa;

	frr_each (ike_sas_const, &peer->sas, sa)
		if (sa->id == yang_str2uint32(args->keys->key[0]))
			return sa;
	return NULL;
}

static struct yang_data *ike_sa_id(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return yang_data_new_uint32(xpath, sa->id);
}

static struct yang_data *ike_sa_status(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return yang_data_new_string(xpath, sa->state);
}

static struct yang_data *ike_sa_initiator(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return yang_data_new_bool(xpath, sa->initiator);
}

static struct yang_data *ike_sa_spi_i(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return yang_data_new_uint64(xpath, sa->spi_initiator);
}

static struct yang_data *ike_sa_spi_r(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return yang_data_new_uint64(xpath, sa->spi_responder);
}

static struct yang_data *ike_sa_algorithms(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return yang_data_new_string(xpath, sa->algorithms);
}

static struct yang_data *ike_sa_ppk(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return yang_data_new_bool(xpath, sa->ppk);
}

static struct yang_data *ike_sa_age(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return sa->since
		       ? yang_data_new_uint32(xpath, monotime(NULL) - sa->since)
		       : NULL;
}

static struct yang_data *ike_sa_rekeys(const char *xpath, const void *entry)
{
	const struct ike_sa *sa = entry;

	return yang_data_new_uint32(xpath, sa->rekeys);
}

static const struct swmesh_nb_leaf ike_sa_leaves[] = {
	{"id", ike_sa_id},
	{"status", ike_sa_status},
	{"initiator", ike_sa_initiator},
	{"spi-initiator", ike_sa_spi_i},
	{"spi-responder", ike_sa_spi_r},
	{"algorithms", ike_sa_algorithms},
	{"ppk", ike_sa_ppk},
	{"age", ike_sa_age},
	{"rekeys", ike_sa_rekeys},
};

struct yang_data *swmesh_nb_ike_sa_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(ike_sa_leaves, array_size(ike_sa_leaves),
				  args);
}

/* ---- child-sa ---- */

const void *swmesh_nb_child_sa_next(struct nb_cb_get_next_args *args)
{
	const struct ike_sa *sa = args->parent_list_entry;
	const struct ike_child_sa *child = args->list_entry;

	child = child ? child + 1 : sa->children;
	return child < sa->children + sa->n_children ? child : NULL;
}

int swmesh_nb_child_sa_keys(struct nb_cb_get_keys_args *args)
{
	const struct ike_child_sa *child = args->list_entry;

	args->keys->num = 1;
	snprintf(args->keys->key[0], sizeof(args->keys->key[0]), "%u",
		 child->id);
	return NB_OK;
}

const void *swmesh_nb_child_sa_lookup(struct nb_cb_lookup_entry_args *args)
{
	const struct ike_sa *sa = args->parent_list_entry;

	for (unsigned int i = 0; i < sa->n_children; i++)
		if (sa->children[i].id == yang_str2uint32(args->keys->key[0]))
			return &sa->children[i];
	return NULL;
}

static struct yang_data *child_sa_id(const char *xpath, const void *entry)
{
	const struct ike_child_sa *sa = entry;

	return yang_data_new_uint32(xpath, sa->id);
}

static struct yang_data *child_sa_name(const char *xpath, const void *entry)
{
	const struct ike_child_sa *sa = entry;

	return sa->kind < IKE_CHILDREN
		       ? yang_data_new_string(xpath, ike_kind_name(sa->kind))
		       : NULL;
}

static struct yang_data *child_sa_status(const char *xpath, const void *entry)
{
	const struct ike_child_sa *sa = entry;

	return yang_data_new_string(xpath, sa->state);
}

static struct yang_data *child_sa_protocol(const char *xpath, const void *entry)
{
	const struct ike_child_sa *sa = entry;

	return yang_data_new_string(xpath, sa->protocol);
}

static struct yang_data *child_sa_algorithms(const char *xpath,
					     const void *entry)
{
	const struct ike_child_sa *sa = entry;

	return yang_data_new_string(xpath, sa->algorithms);
}

static struct yang_data *child_sa_age(const char *xpath, const void *entry)
{
	const struct ike_child_sa *sa = entry;

	return sa->since
		       ? yang_data_new_uint32(xpath, monotime(NULL) - sa->since)
		       : NULL;
}

static struct yang_data *child_sa_spi_in(const char *xpath, const void *entry)
{
	const struct ike_child_sa *sa = entry;

	return yang_data_new_uint32(xpath, sa->spi_in);
}

static struct yang_data *child_sa_spi_out(const char *xpath, const void *entry)
{
	const struct ike_child_sa *sa = entry;

	return yang_data_new_uint32(xpath, sa->spi_out);
}

static const struct swmesh_nb_leaf child_sa_leaves[] = {
	{"id", child_sa_id},
	{"name", child_sa_name},
	{"status", child_sa_status},
	{"protocol", child_sa_protocol},
	{"algorithms", child_sa_algorithms},
	{"age", child_sa_age},
	{"spi-in", child_sa_spi_in},
	{"spi-out", child_sa_spi_out},
};

struct yang_data *swmesh_nb_child_sa_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(child_sa_leaves, array_size(child_sa_leaves),
				  args);
}
