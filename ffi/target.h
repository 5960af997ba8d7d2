/* One cover to be made: source over target, and the mount that holds it. */
#ifndef NSPIN_TARGET_H
#define NSPIN_TARGET_H

#include "holder.h"
#include "sequence.h"

struct file { /* what stat(2) knows a file by */
  u64 device, inode;
  u64 kind; /* S_IFMT of its mode */
};

enum act {
  ACT_NONE,
  ACT_COVER,
  ACT_PIN,
  ACT_REJOIN,
  ACT_OVERLAY,
  ACT_REFUSE,
  ACT_UNKNOWN
};

struct target {
  enum act act;
  int must_leave; /* the holder, where the program will run */
  long shown;     /* the source, where the program will run */
  long pin;       /* the host's mount of it onto itself: ours, or -1 */
  struct file source, host;
  struct holder holder;
  /* The target's own name: no symbolic link on the way, but it may be one. */
  char path[PATH_BYTES];
  char directory[PATH_BYTES]; /* the one that it is in */
};

/* All of these: 0 or -errno. */

long target_open_source(struct target *target, const char *source);

/*
 * A symbolic link is opened itself, unless a directory shall cover it: the
 * kernel lays directories on directories only. Needs the source.
 */
long target_open(struct target *target, const char *path);

/*
 * -ENOTDIR, -EISDIR: a file covers a file, a directory a directory. -EBUSY: the
 * root directory, which no path leads around.
 */
long target_compare(const struct target *target);

/* Looks up its holder, or its directory's where an overlay shall cover that. */
long target_inspect(struct target *target, int asked);

/*
 * How to cover it, by the table in launch.h: act, and cover->decision. -ESTALE:
 * not as told; -EOPNOTSUPP: the method asked for cannot be had.
 */
long target_decide(struct target *target, struct cover *cover, int asked,
                   int is_dry, struct host *host);

/* On the host: a private mount for the cover to land on, and its end. */
long target_self_bind(struct target *target);
long target_make_private(const struct target *target);
/*
 * Is the holder a mount of the target onto itself, as those two make it? 1, 0
 * or -errno. Of a file also one that is still shared: a launch was killed
 * between the two. A directory's is not taken for that, people share such on
 * purpose.
 */
long target_is_on_itself(const struct target *target);
void target_take_back(struct target *target);

/*
 * Opens what is to be unpinned. -EINVAL: what is there shows anything else than
 * what lies below it, or in another way. -EBUSY: mounts lie in that directory.
 */
long target_find_pin(struct target *target);

/*
 * An overlay over its directory, read-only, whose lower layer is that
 * directory: a cover in it is out of the reach of the host's renames. -EBUSY:
 * something is mounted below, which the overlay would hide.
 */
long target_overlay(const struct target *target);

/*
 * The source, as it is in this mount namespace: before an overlay lies on the
 * directory that it may be in, like /etc/netns/ID. -ESTALE: it is another now.
 */
long target_open_shown(struct target *target, const char *source);

/* Source over target. -ESTALE: the mount that holds it is (again) shared. */
long target_bind(struct target *target);

/* -ESTALE: not the source is seen here; not its own file by the host. */
long target_verify(const struct target *target);
long target_verify_host(const struct target *target, const struct host *host);

/*
 * The clone of the source is its peer until it is made private: a mount over
 * the one would appear over the other, on the host; so with what is in it.
 */
long target_make_cover_private(const struct target *target);
long target_make_read_only(const struct target *target);

#endif
