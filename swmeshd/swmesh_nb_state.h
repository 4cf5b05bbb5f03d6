/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Northbound callbacks of the state tree. */
#ifndef SWMESH_NB_STATE_H
#define SWMESH_NB_STATE_H

#include "northbound.h"

/* swmesh_nb_state.c */
struct yang_data *swmesh_nb_state_status(struct nb_cb_get_elem_args *args);
struct yang_data *swmesh_nb_state_bgp(struct nb_cb_get_elem_args *args);
struct yang_data *swmesh_nb_state_overlap(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_supported_next(struct nb_cb_get_next_args *args);
int swmesh_nb_supported_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_supported_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_supported_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_softwire_next(struct nb_cb_get_next_args *args);
int swmesh_nb_softwire_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_softwire_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_softwire_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_afbr_next(struct nb_cb_get_next_args *args);
int swmesh_nb_afbr_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_afbr_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_afbr_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_nhop_next(struct nb_cb_get_next_args *args);
int swmesh_nb_nhop_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_nhop_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_nhop_elem(struct nb_cb_get_elem_args *args);

/* swmesh_nb_state_security.c */
struct yang_data *swmesh_nb_security_charon(struct nb_cb_get_elem_args *args);
struct yang_data *
swmesh_nb_security_charon_hangs(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_peer_next(struct nb_cb_get_next_args *args);
int swmesh_nb_peer_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_peer_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_peer_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_announced_next(struct nb_cb_get_next_args *args);
const void *swmesh_nb_accepted_next(struct nb_cb_get_next_args *args);
struct yang_data *swmesh_nb_hash_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_child_next(struct nb_cb_get_next_args *args);
int swmesh_nb_child_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_child_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_child_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_filter_next(struct nb_cb_get_next_args *args);
int swmesh_nb_filter_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_filter_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_filter_elem(struct nb_cb_get_elem_args *args);

/* swmesh_nb_state_sas.c */
const void *swmesh_nb_ike_sa_next(struct nb_cb_get_next_args *args);
int swmesh_nb_ike_sa_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_ike_sa_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_ike_sa_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_child_sa_next(struct nb_cb_get_next_args *args);
int swmesh_nb_child_sa_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_child_sa_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_child_sa_elem(struct nb_cb_get_elem_args *args);

#endif /* SWMESH_NB_STATE_H */
