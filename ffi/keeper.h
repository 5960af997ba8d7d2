/*
 * The keeper: a process that stays in the program's mount namespace, and covers
 * again what the host uncovers. The kernel detaches a mount, in every other
 * mount namespace, when what it lies on is unlinked or renamed over: without a
 * word to the program, which would go on with the host's file.
 *
 * Here it is started; what it then does is in keeper/, a code of its own.
 */
#ifndef NSPIN_KEEPER_H
#define NSPIN_KEEPER_H

#include "cover.h"
#include "daemon.h"
#include "inherit.h"

enum {
  KEEPER_WATCHES = 32, /* directories */
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
  struct file shown;     /* the source, as the program sees it */
  u64 refused;           /* the inode of a new source that cannot be shown */
  long spare;            /* a detached clone of the cover; or -1 */
  char id[NUMBER_BYTES]; /* of the cover */
  u64 said, unsaid;      /* second of the last line; lines since */
  int is_missing;
  char source[PATH_BYTES], target[PATH_BYTES]; /* source: "", not followed */
};

/* The mount of one directory on itself. */
struct within {
  struct directory_mount mount;
  char path[PATH_BYTES];
};

struct keeper {
  struct daemon daemon; /* first */
  struct visitor visitor;
  long table, program, signals; /* what it waits for */
  u64 namespace, own;           /* inode of the mount namespace; its own id */
  u64 look;                     /* number of the look that is under way */
  u64 woken, done;              /* microseconds, CLOCK_MONOTONIC */
  int is_read_only, has_new_watch;
  long pause; /* milliseconds; 0: all is as it shall be */
  u64 count;  /* of kept, and of room for directories */
  struct kept *kept;
  struct within *within;
  struct watch watches[KEEPER_WATCHES];
  char process[NUMBER_BYTES], name[KEEPER_NAME];
};

/* Can it be started, from that record? 1 or 0. */
int keeper_is_possible(const struct record *record);

/*
 * Starts it, for the covers of launch whose targets are kept; process is this
 * one's id, program a name for people. 0 or -errno, where nothing was started.
 */
long keeper_start(const struct launch *launch, const struct target *targets,
                  const struct record *record, const char *process,
                  const char *program);

#endif
