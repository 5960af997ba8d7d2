/* What the sequence reads from /proc. */
#ifndef NSPIN_PROC_H
#define NSPIN_PROC_H

#include "syscall.h"
#include "text.h"

#include <asm/fcntl.h>
#include <linux/fcntl.h>

#define PATH_BYTES 4096 /* PATH_MAX, with the NUL */
#define FD_PATH_BYTES 36

/* What could not be had just now: it says nothing of what was asked for. */
int is_shortage(long result);

/* open(2), close-on-exec, of what need not be created. */
long open_file(const char *path, long flags);

/* A file read byte by byte through a small buffer. */
struct reader {
  long fd;
  long at, have;
  long error; /* 0, or the -errno that ended it before its end */
  char buffer[1024];
};

long read_open(struct reader *reader, const char *path); /* 0 or -errno */
void read_close(struct reader *reader);

/*
 * The next word, cut to bytes - 1; blanks (space, tab) separate words, \ooo is
 * the byte of that number. Returns what ended it: ' ', '\n', or -1 at the end.
 */
long read_word(struct reader *reader, char *word, size_t bytes);

/*
 * The mount that holds an open file: by statx(2), Linux 5.8, else its mnt_id in
 * fdinfo, proc(5).
 */
long mount_id(long fd, char id[NUMBER_BYTES]); /* 0 or -errno */

/* "/proc/self/fd/N": the way to an open file for calls that take a path. */
void fd_path(char path[FD_PATH_BYTES], long fd);

struct dirent64 { /* getdents64(2) */
  u64 ino;
  long long off;
  unsigned short reclen;
  unsigned char type;
  char name[];
};

/*
 * Calls visit for each entry of a directory whose name is a number, but for the
 * descriptor of the listing itself. 0 or -errno.
 */
long each_number(const char *directory, void (*visit)(long number, void *data),
                 void *data);

/* The inode of what a path leads to; 0: it cannot be looked at. */
u64 file_inode(const char *path);

static inline void close_file(long *fd) { /* or nothing, where it is -1 */
  if (*fd >= 0)
    CALL(__NR_close, *fd);
  *fd = -1;
}

#endif
