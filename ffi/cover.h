/*
 * One cover to be made: source over target, and the mount that holds the
 * target. Source and target are each walked to once, on the host; from there on
 * descriptors say what is meant.
 */
#ifndef NSPIN_COVER_H
#define NSPIN_COVER_H

#include "directory-mount.h"
#include "holder.h"
#include "mount-namespace.h"
#include "path.h"
#include "sequence.h"

struct file { /* what stat(2) knows a file by */
  u64 device, inode;
  unsigned kind, links; /* S_IFMT of its mode; hard links */
};

#define METHOD_BIT(name, bit) name = bit,
enum { METHODS(METHOD_BIT) };

#define DECISION(name, asked, when, act, why) DECISION_##name,
enum { DECISION_NONE, DECISIONS(DECISION) };

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
  int is_pinned;  /* or will be: it relies on a mount of method pin */
  int is_undone;  /* the pin, by propagation: as far as that can be told */
  int is_absent;  /* on the host; an overlay of its directory can have it */
  int is_beside; /* such a one: in the same directory, under the same overlay */
  int is_kept;   /* a keeper covers it again where the host uncovers it */
  int is_stray;  /* it was made, and is not found among other mounts */
  long source;   /* O_PATH, on the host */
  long clone;    /* a detached bind mount of it; -1: not on this kernel */
  long pin;      /* the host's mount of the target onto itself, if this launch
                    made it */
  long below;    /* what the cover stands on, here */
  long lower;    /* its directory, here, that an overlay shows */
  struct file shown, host, under; /* under: what the cover will lie on */
  char host_id[NUMBER_BYTES];     /* of the mount that holds it on the host */
  struct holder holder;
  char cover_id[NUMBER_BYTES];   /* of the mount that covers it, if kept */
  struct directory_mount within; /* of its directory, where it is kept */
  struct place on_host, here; /* the target; here: where the program will run */
  char directory[PATH_BYTES]; /* the one that the target is in */
};

/* All of these: 0 or -errno. */

/* Nothing is open. */
void target_init(struct target *target);
/* Closes what was opened but for the pin, by which that is undone. */
void target_close(struct target *target);

/* 1 or 0 */
int target_is_directory(const struct target *target);
int target_covers_directory(const struct target *target);
/* Is that the file that was found on the host? 1, 0 or -errno. */
long target_is_host_file(const struct target *target, long fd);

long target_open_source(struct target *target, const char *source);

/* What every program asks for its DNS servers, resolv.conf(5). */
#define RESOLV_CONF_PATH "/etc/resolv.conf"

/*
 * A symbolic link is opened itself, unless a directory shall cover it: the
 * kernel lays directories on directories only. Needs the source. may_lack: that
 * the host has no resolv.conf is no error, but target->is_absent.
 */
long target_open(struct target *target, const char *path, int may_lack);

/*
 * -ENOTDIR, -EISDIR: a file covers a file, a directory a directory. -EBUSY: the
 * root directory, which no path leads around; /proc, by which the sequence
 * works.
 */
long target_compare(const struct target *target);

/* Looks up its holder, or its directory's where an overlay shall cover that. */
long target_inspect(struct target *target, int asked);

/*
 * Is the holder a mount of the target onto itself, as method pin makes it? 1, 0
 * or -errno. Of a file also one that is still shared: a launch was killed
 * before it was made private. A directory's is not taken for that, people share
 * such on purpose.
 */
long target_is_on_itself(const struct target *target);

/*
 * A detached clone of the source: what cannot be bound fails here, before
 * anything has changed. None where the kernel does not know open_tree(2)
 * (before Linux 5.2) or a filter refuses it.
 */
long target_clone(struct target *target);

/*
 * Walks to the target in this mount namespace. -ESTALE: it is not what was
 * opened on the host; then it is not open here, either.
 */
long target_open_here(struct target *target);

/*
 * The target onto itself, privately: what the cover then stands on. umount(2)
 * goes to every peer of the mount that it unmounts from, and takes away what
 * lies there; so a program that unmounts its cover would take away that of all
 * others. From a private mount it goes nowhere. The cover itself cannot be
 * bound twice: its root is the source, and whoever replaces that by rename
 * takes away what is mounted on it. -ESTALE: the mount that holds the target is
 * (again) shared, or what was opened has been removed since. -ENOENT: what is
 * mounted there was removed from its own file system, and nothing can lie on
 * it.
 */
long target_bind_below(struct target *target);

long target_bind(struct target *target, const char *source);

/*
 * The clone of the source is its peer until it is made private: a mount over
 * the one would appear over the other, on the host; so with what is in it.
 */
long target_make_cover_private(const struct target *target);
long target_make_read_only(const struct target *target);

/* What stat(2) says of an open file. 0 or -errno. */
long file_look_at(long fd, struct file *file);
int file_is_same(const struct file *a, const struct file *b);

/*
 * Does the path, as it was given, lead to the source here? And the host's to
 * what it led to, on the mount that it led to? -ESTALE: no.
 */
long target_verify(const struct target *target, const char *path);
long target_verify_host(const struct target *target, const struct host *host);

#endif
