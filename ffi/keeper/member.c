#include "keeping.h"

#include <asm/stat.h>

struct member {
  u64 namespace; /* inode of the mount namespace */
  u64 own;       /* the keeper's own process */
  long process;  /* looked at */
  long pidfd;
  int is_known; /* are pidfd_open(2)'s numbers those of this /proc? */
  int is_found;
};

/*
 * After `unshare --pid --fork` /proc can still be that of the namespace before.
 * Whom no number leads to is looked for again and again, wait().
 */
static void find(struct member *member) {
  if (member->is_known)
    member->pidfd = CALL(__NR_pidfd_open, member->process, 0);
  member->is_found = member->pidfd >= 0 || !member->is_known;
}

/*
 * By what the link says, mnt:[INODE], namespaces(7): to follow it takes the
 * kernel twice as long, and this is asked of each process.
 */
static int is_inside(const struct member *member, const char *directory,
                     long number) {
  static const char type[] = "mnt:[";
  char path[64], link[sizeof type + NUMBER_BYTES];
  char *end = text_number(text_copy(path, directory), (u64)number);
  text_copy(end, "/ns/mnt");
  long length = CALL(__NR_readlinkat, AT_FDCWD, path, link, sizeof link - 1);
  if (length < (long)sizeof type)
    return 0;
  link[length] = '\0';
  return text_value(link + sizeof type - 1, 10) == member->namespace;
}

static void find_thread(long thread, void *data) {
  struct member *member = data;
  char path[48];
  char *end = text_number(path, (u64)member->process);
  text_copy(end, "/task/");
  if (!member->is_found && is_inside(member, path, thread))
    find(member);
}

/*
 * Whose leader has ended lives on in its other threads. Their directory has as
 * many links more than two: where many programs end at once, each of their
 * keepers looks at each of them, so one thread is not looked at twice.
 */
static void find_member(long process, void *data) {
  struct member *member = data;
  struct stat links;
  char tasks[48];
  if (member->is_found || (u64)process == member->own)
    return;
  member->process = process;
  if (is_inside(member, "", process)) {
    find(member);
    return;
  }
  text_copy(text_number(tasks, (u64)process), "/task");
  if (CALL(__NR_newfstatat, AT_FDCWD, tasks, &links, 0) == 0 &&
      links.st_nlink == 2 + 1)
    return;
  each_number(tasks, find_thread, data);
}

/* The last number that was given to a process or thread; 0: not to be had. */
static u64 last_number(void) {
  struct reader reader;
  char word[NUMBER_BYTES] = "";
  if (read_open(&reader, "loadavg") < 0)
    return 0;
  for (long end = ' '; end == ' ';)
    end = read_word(&reader, word, sizeof word);
  read_close(&reader);
  return text_value(word, 10);
}

/* In the working directory, which is /proc. 0 or -errno. */
static long look_for(struct member *member) {
  char own[NUMBER_BYTES];
  long length = CALL(__NR_readlinkat, AT_FDCWD, "self", own, sizeof own - 1);
  MUST(length); /* else it could not tell itself from a member */
  own[length] = '\0';
  member->own = text_value(own, 10);
  member->is_known = member->own == (u64)CALL(__NR_getpid);
  return each_number(".", find_member, member);
}

/*
 * In the /proc of the start, which is the working directory meanwhile: the
 * program can have mounted another there, with other numbers. A process that
 * was made during the first look can have escaped that: then there is a second
 * one.
 */
int find_next_member(struct keeper *keeper) {
  struct member member = {.namespace = keeper->namespace, .pidfd = -1};
  close_file(&keeper->program);
  if (CALL(__NR_fchdir, keeper->proc) == 0)
    for (int looks = 0; !member.is_found && looks < 2; looks++) {
      u64 last = last_number();
      if (look_for(&member) == 0 && last != 0 && last == last_number())
        break;
    }
  CALL(__NR_chdir, "/");
  keeper->program = member.pidfd;
  return member.is_found;
}
