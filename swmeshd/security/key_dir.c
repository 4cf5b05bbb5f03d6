// SPDX-License-Identifier: GPL-2.0-or-later
/* The directory `peer-keys`; see security/key_dir.h. */
#include <zebra.h>

#include <dirent.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "log.h"
#include "memory.h"
#include "monotime.h"
#include "printfrr.h"
#include "thread.h"

#include "lib/log_limit.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/security/key_dir.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, KEY_DIR, "Directory of public keys");

#define FILES_MAX 4096
/* Not read more often than that. */
#define AGAIN_S 10

/* What is in a directory. */
struct key_dir {
	char path[PATH_MAX];
	int error; /* errno of opening it */
	unsigned int files, n, room;
	struct public_key *keys; /* by hash */
};

static struct {
	void (*changed)(void);
	struct key_dir *now;  /* NULL: nothing read yet */
	struct key_dir *next; /* the thread's, while it reads */
	pthread_t reader;
	time_t begun; /* the last reading; monotime */
	int done;     /* eventfd: the thread has ended */
	struct thread *t_done;
} dir = {.done = -1};

/* ---- the thread: no FRR but memory, no log ---- */

static bool may_be_key(const char *name)
{
	static const char *const ends[] = {".pem", ".pub", ".crt", ".der"};
	size_t len = strlen(name);

	for (size_t i = 0; i < array_size(ends); i++)
		if (len > 4 && !strcmp(name + len - 4, ends[i]))
			return true;
	return false;
}

static int by_hash(const void *a, const void *b)
{
	const struct public_key *ka = a, *kb = b;

	return memcmp(ka->hash, kb->hash, KEY_HASH_LEN);
}

static void read_file(struct key_dir *d, const char *name)
{
	char path[PATH_MAX + NAME_MAX + 2];

	d->files++;
	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	if (d->n == d->room) {
		d->room = d->room ? 2 * d->room : 16;
		d->keys = XREALLOC(MTYPE_KEY_DIR, d->keys,
				   d->room * sizeof(*d->keys));
	}
	if (key_file_public(path, &d->keys[d->n]))
		d->n++;
}

static void *read_all(void *arg)
{
	struct key_dir *d = arg;
	const struct dirent *entry;
	DIR *open = opendir(d->path);
	uint64_t one = 1;

	if (open) {
		while (d->files < FILES_MAX && (entry = readdir(open)))
			if (may_be_key(entry->d_name))
				read_file(d, entry->d_name);
		closedir(open);
		if (d->n)
			qsort(d->keys, d->n, sizeof(*d->keys), by_hash);
	} else
		d->error = errno;
	if (write(dir.done, &one, sizeof(one)) < 0)
		d->error = errno;
	return NULL;
}

/* ---- the event loop ---- */

static void dir_free(struct key_dir **d)
{
	if (*d)
		XFREE(MTYPE_KEY_DIR, (*d)->keys);
	XFREE(MTYPE_KEY_DIR, *d);
}

static void on_done(struct thread *t)
{
	uint64_t count;

	if (read(dir.done, &count, sizeof(count)) < 0)
		zlog_debug("peer-keys: %s", safe_strerror(errno));
	pthread_join(dir.reader, NULL);
	dir_free(&dir.now);
	dir.now = dir.next;
	dir.next = NULL;
	dir.changed();
}

static void start(const char *path)
{
	sigset_t all, before;
	int failed;

	dir.begun = monotime(NULL);
	dir.next = XCALLOC(MTYPE_KEY_DIR, sizeof(*dir.next));
	strlcpy(dir.next->path, path, sizeof(dir.next->path));
	/* Signals are the event loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&dir.reader, NULL, read_all, dir.next);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		zlog_warn_limited(0, "peer-keys %s: no thread to read it: %s",
				  path, safe_strerror(failed));
		dir_free(&dir.next);
		return;
	}
	thread_add_read(master, on_done, NULL, dir.done, &dir.t_done);
}

bool key_dir_known(const char *directory)
{
	return dir.now && !strcmp(dir.now->path, directory);
}

static const struct public_key *find_now(const char *path, const uint8_t *hash)
{
	struct public_key ref;

	if (!key_dir_known(path) || !dir.now->n)
		return NULL;
	memcpy(ref.hash, hash, KEY_HASH_LEN);
	return bsearch(&ref, dir.now->keys, dir.now->n, sizeof(ref), by_hash);
}

static void tell_absent(const char *path, const uint8_t *hash, char *err,
			size_t len)
{
	char text[KEY_HASH_TEXT_LEN];

	if (dir.next)
		snprintf(
			err, len,
			"peer-keys %s: it is being read for %u s; if that takes long, see that its file system answers",
			path, (unsigned int)(monotime(NULL) - dir.begun));
	else if (!key_dir_known(path))
		snprintf(err, len, "peer-keys %s: not read yet", path);
	else if (dir.now->error)
		snprintf(
			err, len,
			"peer-keys %s: %s; name a folder that user frr can read",
			path, safe_strerror(dir.now->error));
	else
		snprintf(
			err, len,
			"peer-keys %s: no key with SHA-1 %s among its %u files; put the peer's public key there as a file *.pem",
			path, key_hash_text(hash, text), dir.now->files);
}

const struct public_key *key_dir_find(const char *directory,
				      const uint8_t hash[KEY_HASH_LEN],
				      char *err, size_t len)
{
	const struct public_key *key = find_now(directory, hash);

	if (key)
		return key;
	if (!dir.next && dir.done >= 0 &&
	    (!key_dir_known(directory) ||
	     monotime(NULL) - dir.begun >= AGAIN_S))
		start(directory);
	tell_absent(directory, hash, err, len);
	return NULL;
}

void key_dir_init(void (*changed)(void))
{
	dir.changed = changed;
	dir.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dir.done < 0)
		zlog_warn("peer-keys: no eventfd: %s", safe_strerror(errno));
}

/* A thread that still reads is left alone: the process ends. */
void key_dir_stop(void)
{
	THREAD_OFF(dir.t_done);
	dir_free(&dir.now);
	if (dir.next)
		return;
	if (dir.done >= 0)
		close(dir.done);
	dir.done = -1;
}
