/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire format of vici, strongSwan's control protocol (src/libcharon/
 * plugins/vici/README.md of strongSwan): octets in, a checked message out, and
 * the other way round. No I/O and no globals.
 *
 * A packet on the socket is a 4-octet length (big-endian, of what follows), an
 * octet of type, for some types a name, and for some a message. A message is a
 * tree: sections hold key/values, lists of values and sections.
 *
 * Building wipes every buffer it leaves, since messages carry secrets. Parsing
 * checks a whole packet once and then reads in place: what it hands out points
 * into the packet and lives as long as the packet does.
 */
#ifndef SWMESH_LIB_VICI_H
#define SWMESH_LIB_VICI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire.h"

/* Octets of the length in front of each packet. */
#define VICI_HEADER_LEN 4
/* Longest packet charon takes or sends, header excluded. */
#define VICI_PACKET_MAX (512 * 1024)
#define VICI_NAME_MAX UINT8_MAX
#define VICI_VALUE_MAX UINT16_MAX
/* Sections within sections; charon's own messages have five at most. */
#define VICI_DEPTH_MAX 8

enum vici_type {
	VICI_CMD_REQUEST,      /* name, message */
	VICI_CMD_RESPONSE,     /* message */
	VICI_CMD_UNKNOWN,      /* answers a request */
	VICI_EVENT_REGISTER,   /* name */
	VICI_EVENT_UNREGISTER, /* name */
	VICI_EVENT_CONFIRM,    /* answers the two before */
	VICI_EVENT_UNKNOWN,    /* so does this */
	VICI_EVENT,	       /* name, message */
	VICI_TYPES
};

enum vici_element {
	VICI_SECTION_START = 1, /* name */
	VICI_SECTION_END,
	VICI_KEY_VALUE,	 /* name, value */
	VICI_LIST_START, /* name */
	VICI_LIST_ITEM,	 /* value */
	VICI_LIST_END,
};

enum vici_error {
	VICI_OK,
	VICI_ERR_SHORT,	   /* ends within an element */
	VICI_ERR_LONG,	   /* octets after the end, or over VICI_PACKET_MAX */
	VICI_ERR_TYPE,	   /* packet type unknown */
	VICI_ERR_ELEMENT,  /* element type unknown */
	VICI_ERR_NESTING,  /* an element where it may not be */
	VICI_ERR_DEPTH,	   /* more than VICI_DEPTH_MAX sections deep */
	VICI_ERR_UNCLOSED, /* a section or list is left open */
	VICI_ERR_NAME,	   /* empty, too long, not printable (building) */
	VICI_ERR_VALUE,	   /* over VICI_VALUE_MAX (building) */
	VICI_ERR_MEMORY,   /* none left (building) */
	VICI_ERRORS
};

/* "ends within an element" and so on; never NULL. */
const char *vici_error_text(enum vici_error error);

/* ---- building ---- */

/* A packet being written. Its fields are for reading only. */
struct vici_builder {
	uint8_t *buf; /* with the header; owned, wiped before it is freed */
	size_t len, cap;
	enum vici_type type;
	enum vici_error error; /* the first one; nothing is written after it */
	unsigned int depth;    /* sections open */
	bool in_list;
	char where[VICI_NAME_MAX + 1]; /* last name written, for messages */
};

/*
 * Begin a packet. name: of the command or event, NULL where the type has none.
 * Errors of all functions below wait in b->error until vici_finish(). End with
 * vici_free(), or hand the packet over (swmesh_vici_request() does so).
 */
void vici_begin(struct vici_builder *b, enum vici_type type, const char *name);

/* A section, up to its vici_section_end(). Names are zero-terminated. */
void vici_section_start(struct vici_builder *b, const char *name);
void vici_section_end(struct vici_builder *b);

/* key = value: a zero-terminated string, any octets, a number in decimal. */
void vici_key_value(struct vici_builder *b, const char *key, const char *value);
void vici_key_octets(struct vici_builder *b, const char *key,
		     const void *octets, size_t len);
void vici_key_number(struct vici_builder *b, const char *key, int64_t number);
/* key = yes or no. */
void vici_key_bool(struct vici_builder *b, const char *key, bool yes);

/* A list of values, up to its vici_list_end(). */
void vici_list_start(struct vici_builder *b, const char *key);
void vici_list_item(struct vici_builder *b, const char *value);
void vici_list_item_octets(struct vici_builder *b, const void *octets,
			   size_t len);
void vici_list_end(struct vici_builder *b);
/* The three in one: key = [value]. */
void vici_list_one(struct vici_builder *b, const char *key, const char *value);

/* Note an error of the caller's own, if there is none yet. */
void vici_fail(struct vici_builder *b, enum vici_error error);

/*
 * Check that all is closed and write the length. After VICI_OK, buf[0..len) is
 * what goes to the socket. May be called again.
 */
enum vici_error vici_finish(struct vici_builder *b);

/* Wipe and free; the builder is as if it were zeroed. Safe to repeat. */
void vici_free(struct vici_builder *b);

/* ---- parsing ---- */

/* Octets within a packet; not zero-terminated. */
struct vici_value {
	const uint8_t *at;
	size_t len;
};

/* The checked elements of a section or a list. A message is its outermost
 * section. */
struct vici_section {
	const uint8_t *at;
	size_t len;
};


/* A packet as received. */
struct vici_packet {
	enum vici_type type;
	struct vici_value name;	 /* empty for types without */
	struct vici_section msg; /* empty for types without */
};

/*
 * Check a packet of len octets, its header taken off, and fill *packet. Only
 * after VICI_OK may *packet be used.
 */
enum vici_error vici_parse(const uint8_t *octets, size_t len,
			   struct vici_packet *packet);

/* One element at a time; see vici_each(). */
struct vici_iter {
	struct wire_reader left;
	/* What it stands on: VICI_SECTION_START for a whole section,
	 * VICI_LIST_START for a whole list, VICI_KEY_VALUE, VICI_LIST_ITEM. */
	enum vici_element element;
	struct vici_value name;	     /* all but items */
	struct vici_value value;     /* of a key or an item */
	struct vici_section section; /* of a section or a list */
};

struct vici_iter vici_iter_of(const struct vici_section *section);
/* Step to the next element of this section or list; false: there is none. */
bool vici_next(struct vici_iter *it);
/* Step to the next subsection. */
bool vici_next_section(struct vici_iter *it);

/* Each element of a section, or item of a list: struct vici_iter it. */
#define vici_each(of, it) for ((it) = vici_iter_of(of); vici_next(&(it));)
/* Each direct subsection: (it).name, (it).section. */
#define vici_each_section(of, it)                                              \
	for ((it) = vici_iter_of(of); vici_next_section(&(it));)

/*
 * Find by path, "name" or "section/section/name"; the first of that name.
 * False, and nothing written: there is none of that kind. A name with a slash
 * in it cannot be reached by a path.
 */
bool vici_find(const struct vici_section *in, const char *path,
	       struct vici_value *out);
bool vici_find_section(const struct vici_section *in, const char *path,
		       struct vici_section *out);
bool vici_find_list(const struct vici_section *in, const char *path,
		    struct vici_section *out);

/* ---- values ---- */

/* Is it this string? */
bool vici_is(const struct vici_value *value, const char *string);

/*
 * As a zero-terminated string, cut to fit; octets that are not printable ASCII
 * become '?', so that it may go to a terminal or a log. Returns buf.
 */
char *vici_text(const struct vici_value *value, char *buf, size_t size);

/* As a number: digits only, the whole of it; false if it is not one or does not
 * fit. The second form reads hexadecimal, as SPIs are written, without 0x. */
bool vici_number(const struct vici_value *value, uint64_t *out);
bool vici_hex_number(const struct vici_value *value, uint64_t *out);

/* vici_find() and one of the above. The text is "", the numbers are untouched,
 * where nothing is found; true: found, and well-formed. */
bool vici_find_text(const struct vici_section *in, const char *path, char *buf,
		    size_t size);
bool vici_find_number(const struct vici_section *in, const char *path,
		      uint64_t *out);
bool vici_find_hex(const struct vici_section *in, const char *path,
		   uint64_t *out);
/* Is the value there, and equal to string? */
bool vici_find_is(const struct vici_section *in, const char *path,
		  const char *string);

#endif /* SWMESH_LIB_VICI_H */
