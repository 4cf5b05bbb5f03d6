/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds-checked reading and writing of octets in network byte order.
 *
 * Every parser of wire data in this project reads through a wire_reader and
 * nothing else, so there is no pointer arithmetic on received octets outside
 * this file.  Readers return false, and change nothing, when too few octets
 * are left.  A wire_writer remembers its first failure, so a caller may write
 * a whole message and ask once, at the end.
 *
 * Neither owns memory: both point into a buffer of the caller's, which must
 * outlive them.
 */
#ifndef SWMESH_WIRE_H
#define SWMESH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire_reader {
	const uint8_t *at; /* next octet to read */
	size_t left;	   /* octets from there to the end */
};

static inline struct wire_reader wire_reader_of(const void *octets, size_t len)
{
	return (struct wire_reader){.at = octets, .left = len};
}

/* Take n octets; *out points into the buffer. */
static inline bool wire_get_bytes(struct wire_reader *r, size_t n,
				  const uint8_t **out)
{
	if (r->left < n)
		return false;
	*out = r->at;
	if (n)
		r->at += n;
	r->left -= n;
	return true;
}

/* Take n octets as a reader of their own, for a nested TLV. */
static inline bool wire_get_sub(struct wire_reader *r, size_t n,
				struct wire_reader *sub)
{
	const uint8_t *at;

	if (!wire_get_bytes(r, n, &at))
		return false;
	*sub = wire_reader_of(at, n);
	return true;
}

static inline bool wire_get_copy(struct wire_reader *r, void *out, size_t n)
{
	const uint8_t *at;

	if (!wire_get_bytes(r, n, &at))
		return false;
	if (n)
		memcpy(out, at, n);
	return true;
}

static inline bool wire_get_u8(struct wire_reader *r, uint8_t *out)
{
	return wire_get_copy(r, out, sizeof(*out));
}

static inline bool wire_get_u16(struct wire_reader *r, uint16_t *out)
{
	const uint8_t *at;

	if (!wire_get_bytes(r, 2, &at))
		return false;
	*out = (uint16_t)(at[0] << 8 | at[1]);
	return true;
}

static inline bool wire_get_u32(struct wire_reader *r, uint32_t *out)
{
	const uint8_t *at;

	if (!wire_get_bytes(r, 4, &at))
		return false;
	*out = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
	return true;
}

struct wire_writer {
	uint8_t *buf;
	size_t cap; /* octets buf has room for */
	size_t len; /* octets written */
	bool failed;
};

static inline struct wire_writer wire_writer_of(void *buf, size_t cap)
{
	return (struct wire_writer){.buf = buf, .cap = cap};
}

static inline void wire_put_bytes(struct wire_writer *w, const void *octets,
				  size_t n)
{
	if (w->failed || w->cap - w->len < n) {
		w->failed = true;
		return;
	}
	if (n)
		memcpy(w->buf + w->len, octets, n);
	w->len += n;
}

static inline void wire_put_u8(struct wire_writer *w, uint8_t v)
{
	wire_put_bytes(w, &v, 1);
}

static inline void wire_put_u16(struct wire_writer *w, uint16_t v)
{
	uint8_t octets[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	wire_put_bytes(w, octets, sizeof(octets));
}

static inline void wire_put_u32(struct wire_writer *w, uint32_t v)
{
	uint8_t octets[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
			     (uint8_t)(v >> 8), (uint8_t)v};

	wire_put_bytes(w, octets, sizeof(octets));
}

/* Overwrite two octets written before, at offset at (a length field). */
static inline void wire_patch_u16(struct wire_writer *w, size_t at, uint16_t v)
{
	if (w->failed || at + 2 > w->len) {
		w->failed = true;
		return;
	}
	w->buf[at] = (uint8_t)(v >> 8);
	w->buf[at + 1] = (uint8_t)v;
}

#endif /* SWMESH_WIRE_H */
