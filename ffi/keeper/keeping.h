/*
 * start.c starts the keeper's process (daemon.c, detach.c), in which keeper.c
 * waits and looks, watch.c is told of directories, again.c covers, within.c has
 * the mounts of directories on themselves, exchange.c shows a new source,
 * elsewhere.c works in a mount namespace of its own, member.c knows when it is
 * over, and syslog.c says what was done.
 */
#ifndef NSPIN_KEEPING_H
#define NSPIN_KEEPING_H

#include "../cover.h"
#include "../keeper.h"
#include "daemon.h"
#include "syslog.h"

enum {
  KEEPER_WATCHES = 64, /* directories */
  KEEPER_NAME = 96     /* bytes of the program's name, for people */
};

/* A directory that is the way to something, and is told of: fcntl(2). */
struct watch {
  u64 device, inode;
  long fd;
  u64 seen; /* the look in which it was last on the way */
};

/* What one program's path shall lead to. */
struct kept {
  struct file shown;      /* the source, as the program sees it */
  u64 refused;            /* the inode of a new source that cannot be shown */
  long spare;             /* a detached clone of the cover; or -1 */
  char id[NUMBER_BYTES];  /* of the cover */
  u64 said, unsaid;       /* second of the last line; lines since */
  int is_missing, is_bad; /* is_bad: what was said last was no good news */
  char source[PATH_BYTES], target[PATH_BYTES]; /* source: "", not followed */
  char path[PATH_BYTES]; /* to the target, as it was last walked: no links */
};

/* The mount of one directory on itself. */
struct within {
  struct directory_mount mount;
  int is_out;    /* of its peer group: it has left that, and must rejoin it */
  int was_level; /* before that; so it must be then */
  int is_late;   /* laid by the keeper, on what was mounted there later */
  char old_id[NUMBER_BYTES]; /* of the one that this one lies on; exchange.c */
  char *path; /* PATH_BYTES, elsewhere: few of these are ever in use */
};

/* A mount that has left its peer group, and a clone that is still in it. */
struct left {
  long mount, peer;
};

struct keeper {
  struct daemon daemon; /* first */
  struct visitor visitor;
  long table, program, signals; /* what it waits for */
  long proc;               /* as it was: the program can mount another on it */
  char root[NUMBER_BYTES]; /* the mount that is "/" */
  u64 namespace;           /* inode of the mount namespace */
  u64 look;                /* number of the look that is under way */
  u64 woken, done;         /* microseconds, CLOCK_MONOTONIC */
  int is_read_only, has_new_watch;
  int is_moving;    /* until execve the launch still moves mounts, for --sys */
  int is_table_new; /* it has changed since the last look */
  struct left left; /* the one that could not rejoin yet; or -1, -1 */
  long pause;       /* milliseconds; 0: all is as it shall be */
  u64 count, within_count;
  struct kept *kept;
  struct within *within;
  struct watch watches[KEEPER_WATCHES];
  char process[NUMBER_BYTES], name[KEEPER_NAME];
};

enum { TRIES = 50 }; /* in a row, of a host that does not keep still */

/* All of its life. */
_Noreturn void keeper_run(void *daemon);

u64 microseconds(void); /* CLOCK_MONOTONIC */

/* A line for syslog(3), unless there was one about this target just now. */
void say_kept(struct keeper *keeper, struct kept *kept, enum kept_event event,
              const char *link, long error);

/*
 * keeper->visitor: watches each directory on the way, as path_walk() goes it.
 * Then those are forgotten that were on no way in this look.
 */
void watch_directory(struct visitor *visitor, long directory);
void forget_directories(struct keeper *keeper);

/* Walks to it, in this mount namespace. 0 or -errno. */
long open_target(const struct kept *kept, struct place *place,
                 struct visitor *visitor);

/* Is what is open there covered, or what lies on the cover? 1, 0 or -errno. */
long is_covered(struct kept *kept, const struct place *place);

/*
 * The target that is open there. 0 or -errno. -EISDIR, -ENOTDIR, -EBUSY: of
 * another kind than what shall cover it. -ENOENT: it is being replaced just
 * now; -EAGAIN: its directory has a mount of its own from now on, look again.
 */
long cover_again(struct keeper *keeper, struct kept *kept,
                 const struct place *place);

/*
 * Shows the source, which is open and is that file, instead of the old one, or
 * what has replaced it since: kept->shown says which. At no moment is there
 * anything else to be seen. 0 or -errno. -ESTALE: not just now, the program has
 * something on its cover.
 */
long exchange(struct keeper *keeper, struct kept *kept, long source,
              const struct file *file);

/* The cover itself; -ESTALE: the program has something on it. */
long open_cover(const struct kept *kept, struct place *place);

/* Where the directory was cloned, each cover in it is a copy with its own id.
 */
void find_covers(struct keeper *keeper);

/*
 * Of a source that is open, and of that kind, what shall cover: a detached
 * clone, private, read-only where the launch asked for that. Its descriptor, or
 * -errno.
 */
long clone_source(const struct keeper *keeper, const struct kept *kept,
                  long source);

/*
 * What make makes in a mount namespace that nobody else is in: the descriptor
 * of a detached mount, or -errno.
 */
long elsewhere(const struct keeper *keeper, struct kept *kept,
               long (*make)(const struct keeper *keeper, struct kept *kept));

/* So: a copy of the spare's file, on a tmpfs that nobody else sees. */
long make_copy(const struct keeper *keeper, struct kept *kept);

/* --- the mounts of directories on themselves --- */

/* The one that has that id; or NULL. */
struct within *find_within(const struct keeper *keeper, const char *id);

/*
 * Out of its peer group; and back, if it is out, where it catches up on what it
 * has missed meanwhile: it can be gone then, for another to be laid. What fails
 * is done again by the next look.
 */
long leave_within(struct within *within);
long rejoin_within(struct keeper *keeper, struct within *within);

/*
 * Back without catching up, where nothing was laid: a host that replaces the
 * file all the time makes many such tries, each look at the mount table takes
 * long, and in a storm of mounts the directory's mount would go each time.
 */
long rejoin_group(struct within *within);

/* Out and back of any mount, by its root. */
long leave(struct keeper *keeper, long mount);
long rejoin(struct keeper *keeper);

/*
 * The topmost mount that lies where that one is open, and all that is on it.
 * umount(2) of a mount goes to the peers of each mount that it takes another
 * from, the host's too: so first none of these is a peer any more.
 */
long unmount_here(long fd);

/* For another such mount. */
int has_room(const struct keeper *keeper);

/*
 * The path leads to another directory than the one that was mounted on itself:
 * it was renamed, or something was mounted on it. holder: what it is on, which
 * is shared. -EAGAIN: that has its own mount now, so the path leads elsewhere.
 */
long lay_within(struct keeper *keeper, const char *path,
                const struct mount *holder);

/*
 * Are the same mounts on it as on the mount that holds it, but for ours? 1, 0
 * or -errno.
 */
long is_level(const struct keeper *keeper, const struct within *within);

/*
 * At each look: those that could not rejoin, those whose holder the host has
 * unmounted, and what the program has made of the propagation of its mounts.
 * 0, or -errno: look again soon.
 */
long tend_directories(struct keeper *keeper);

/* For the next time, when the source itself may be gone. -errno: not yet. */
long make_spare(struct kept *kept);

/*
 * The process that was watched has ended: another one in its mount namespace is
 * watched from here on. 0: there is none.
 */
int find_next_member(struct keeper *keeper);

#endif
