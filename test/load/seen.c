/*
 * The program of a launch under load. Exits with 0 where /etc/resolv.conf
 * begins with TASK, now and after a while, the network namespace is the one
 * that descriptor NETNS is open on, and the descriptors are those that
 * launches.c started the launch with; otherwise says what it sees, and exits
 * with seen.h's status. Without libc, whose start takes as long as the launch
 * on a virtual machine: it asks for what the CPU can do, and each such question
 * (CPUID) is answered by the hypervisor.
 */
#include "seen.h"
#include "../../ffi/syscall.h"

#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/uio.h>

static unsigned long length(const char *text) {
  unsigned long bytes = 0;
  while (text[bytes] != '\0')
    bytes++;
  return bytes;
}

/* In one call: other launches write there too. */
static void say(const char *what, const char *of, const char *text) {
  struct iovec parts[] = {{(void *)what, length(what)},
                          {(void *)of, length(of)},
                          {(void *)text, length(text)}};
  CALL(__NR_writev, 2, parts, 3);
}

static int is_task(const char *text) {
  const char *task = TASK;
  while (*task != '\0' && *task == *text)
    task++, text++;
  return *task == '\0';
}

static void read_file(char *text, unsigned long bytes) {
  long read = 0;
  long file = CALL(__NR_openat, AT_FDCWD, "/etc/resolv.conf", O_RDONLY);
  if (file >= 0) {
    read = CALL(__NR_read, file, text, bytes - 1);
    CALL(__NR_close, file);
  }
  text[read < 0 ? 0 : read] = '\0';
}

#ifndef PATIENCE
#define PATIENCE 0 /* milliseconds, in which a keeper has to cover it again */
#endif

static int check_file(const char *when) {
  const struct { long seconds, nanoseconds; } a_moment = {0, 1000000};
  char text[256];
  for (int tries = 0; tries <= PATIENCE; tries++) {
    if (tries > 0)
      CALL(__NR_nanosleep, &a_moment, 0);
    read_file(text, sizeof text);
    if (is_task(text))
      return 0;
  }
  say("seen: wrong file, ", when, text[0] == '\0' ? "none\n" : text);
  return WRONG_FILE;
}

static int check_netns(void) {
  struct statx own, wanted;
  if (CALL(__NR_statx, AT_FDCWD, "/proc/self/ns/net", 0, STATX_INO, &own) ==
          0 &&
      CALL(__NR_statx, NETNS, "", AT_EMPTY_PATH, STATX_INO, &wanted) == 0 &&
      own.stx_dev_minor == wanted.stx_dev_minor &&
      own.stx_ino == wanted.stx_ino)
    return 0;
  say("seen: wrong network namespace", "", "\n");
  return WRONG_NETNS;
}

static int is_inherited(long number) { return number <= 2 || number == NETNS; }

/*
 * By type too: a launch that closes 0 may open another file by that number. 0,
 * 1 and 2 are no files, NETNS is one (of nsfs).
 */
static int check_inherited(void) {
  int wrong = 0;
  for (int number = 0; number <= NETNS; number++) {
    struct statx status;
    if (!is_inherited(number))
      continue;
    if (CALL(__NR_statx, number, "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0 &&
        !S_ISDIR(status.stx_mode) && !S_ISLNK(status.stx_mode) &&
        S_ISREG(status.stx_mode) == (number == NETNS))
      continue;
    say("seen: missing: descriptor ", (char[]){(char)('0' + number), '\0'},
        "\n");
    wrong = MISSING_DESCRIPTOR;
  }
  return wrong;
}

static int check_spare(void) {
  struct entry { /* linux_dirent64, getdents64(2) */
    unsigned long inode, offset;
    unsigned short bytes;
    unsigned char type;
    char name[];
  };
  char entries[1024] __attribute__((aligned(8)));
  long own = CALL(__NR_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY);
  long end;
  int wrong = own < 0 ? SPARE_DESCRIPTOR : 0;
  while ((end = CALL(__NR_getdents64, own, entries, sizeof entries)) > 0)
    for (const struct entry *entry = (void *)entries;
         (const char *)entry < entries + end;
         entry = (void *)((char *)entry + entry->bytes)) {
      long number = 0;
      for (const char *digit = entry->name; *digit != '\0'; digit++)
        number = 10 * number + *digit - '0';
      if (entry->name[0] == '.' || number == own || is_inherited(number))
        continue;
      say("seen: not inherited: descriptor ", entry->name, "\n");
      wrong = SPARE_DESCRIPTOR;
    }
  CALL(__NR_close, own);
  return wrong;
}

void _start(void) {
  const struct { long seconds, nanoseconds; } a_while = {0, 1000000};
  int wrong = check_inherited() | check_spare() | check_netns() |
              check_file("at its start: ");
  if (!(wrong & WRONG_FILE)) {
    CALL(__NR_nanosleep, &a_while, 0, 0);
    wrong |= check_file("after a while: ");
  }
  for (;;)
    CALL(__NR_exit_group, wrong == 0 ? 0 : WRONG | wrong);
}
