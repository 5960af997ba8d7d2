/*
 * Launches by the hundred thousand:
 *
 *   launches COUNT AT_ONCE NETNS COMMAND...
 *
 * starts COMMAND, whose program is seen.c, COUNT times, AT_ONCE at a time, with
 * descriptors 0, 1, 2 and seen.h's NETNS; kills one of a hundred at a random
 * moment of its life; and says on stdout what came of them, every ten seconds
 * and in the end: the names of `outcomes`, each with its number. What the
 * launches say on stderr goes to its own. Now and then no program runs for some
 * milliseconds: only then can a host take away what programs rely on.
 *
 * A process that a launch leaves behind becomes a child of this one (prctl(2),
 * PR_SET_CHILD_SUBREAPER): in the end there must be none.
 */
#define _GNU_SOURCE /* environ */
#include "seen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  MOST_AT_ONCE = 64,
  KILL_EVERY = 100,
  NSPIN_FAILED = 125,
};
#define MILLISECOND 1000000L
#define SECOND (1000 * MILLISECOND)
#define REPORT_EVERY (10 * SECOND)
#define REST_WITHIN (400 * MILLISECOND) /* no program runs, now and then */
#define REST (10 * MILLISECOND)
#define HANGS_AFTER (60 * SECOND)
#define PROCESSES_END_WITHIN (10 * SECOND)

enum outcome {
  RIGHT,
  KILLED, /* by us */
  FAILED, /* with 125: nothing was started */
  FILES,  /* wrong, as seen.h has it; a program can be so in several ways */
  NETNSES,
  MISSING,
  SPARE,
  WRONG_ANY, /* programs that were wrong in any way */
  ODD,       /* ended in a way that nspin does not have */
  HUNG,
  LEFT, /* processes, in the end */
  OUTCOMES,
};
static const char *const outcomes[OUTCOMES] = {
    [RIGHT] = "right", [KILLED] = "killed",   [FAILED] = "failed",
    [FILES] = "file",  [NETNSES] = "netns",   [MISSING] = "missing",
    [SPARE] = "spare", [WRONG_ANY] = "wrong", [ODD] = "odd",
    [HUNG] = "hung",   [LEFT] = "left",
};
static unsigned long counts[OUTCOMES];

static struct child {
  pid_t pid; /* 0: none */
  long start;
  int is_hung;
} children[MOST_AT_ONCE];
static unsigned long running, at_once;

static struct child *doomed; /* the one to be killed next */
static long kill_at;
static int is_killed;            /* already; its end is awaited */
static unsigned long kills_owed; /* one that ended before is made up for */
static long life = MILLISECOND;  /* of the last that was let live */

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

static void report(void) {
  for (int i = 0; i < OUTCOMES; i++)
    printf("%s %lu%c", outcomes[i], counts[i], i + 1 < OUTCOMES ? ' ' : '\n');
  fflush(stdout);
}

static int start(char **command) {
  struct child *child = children;
  while (child->pid != 0)
    child++;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  *child = (struct child){.start = now()};
  int error =
      posix_spawn(&child->pid, command[0], NULL, &attributes, command, environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    fprintf(stderr, "launches: %s: %s\n", command[0], strerror(error));
    return 0;
  }
  running++;
  if (doomed == NULL && kills_owed > 0) {
    doomed = child;
    is_killed = 0;
    kill_at = child->start + random() % life;
  }
  return 1;
}

static void count_wrong(int bits) {
  counts[WRONG_ANY]++;
  counts[FILES] += (bits & WRONG_FILE) != 0;
  counts[NETNSES] += (bits & WRONG_NETNS) != 0;
  counts[MISSING] += (bits & MISSING_DESCRIPTOR) != 0;
  counts[SPARE] += (bits & SPARE_DESCRIPTOR) != 0;
}

static void conclude(struct child *child, int status) {
  int exited = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  int is_doomed = child == doomed;
  if (is_doomed)
    doomed = NULL;
  if (child->is_hung)
    counts[HUNG]++;
  else if (is_doomed && is_killed && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGKILL) {
    counts[KILLED]++;
    kills_owed--;
  } else if (exited == 0) {
    counts[RIGHT]++;
    life = now() - child->start;
  } else if (exited == NSPIN_FAILED)
    counts[FAILED]++;
  else if (exited > WRONG && exited <= WRONG + WRONG_BITS)
    count_wrong(exited - WRONG);
  else {
    counts[ODD]++;
    fprintf(stderr, "launches: ended with wait status %#x\n", status);
  }
  child->pid = 0;
  running--;
}

/* What is no launch of ours was left by one, and has ended by itself. */
static void reap(void) {
  pid_t pid;
  int status;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    for (unsigned long i = 0; i < at_once; i++)
      if (children[i].pid == pid)
        conclude(&children[i], status);
}

/* Until a child ends, or the doomed one must. */
static void wait_for_children(void) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  long left = SECOND;
  if (doomed != NULL && !is_killed) {
    left = kill_at - now();
    if (left <= 0) {
      kill(doomed->pid, SIGKILL);
      is_killed = 1;
      left = SECOND;
    }
  }
  struct timespec timeout = {left / SECOND, left % SECOND};
  sigtimedwait(&child, NULL, &timeout);
  reap();
  for (unsigned long i = 0; i < at_once; i++)
    if (children[i].pid != 0 && now() - children[i].start > HANGS_AFTER) {
      children[i].is_hung = 1;
      kill(children[i].pid, SIGKILL);
    }
}

static void rest(long nanoseconds) {
  const struct timespec time = {.tv_nsec = nanoseconds};
  nanosleep(&time, NULL);
}

/* Those that do not end by themselves are counted, and ended. */
static void end_processes(void) {
  long until = now() + PROCESSES_END_WITHIN;
  while (waitpid(-1, NULL, WNOHANG) >= 0 && now() < until)
    rest(MILLISECOND);
  FILE *left = fopen("/proc/thread-self/children", "r");
  if (left == NULL)
    return;
  pid_t pid;
  while (fscanf(left, "%d", &pid) == 1) {
    counts[LEFT]++;
    kill(pid, SIGKILL);
  }
  fclose(left);
}

int main(int argc, char **argv) {
  if (argc < 5)
    return 2;
  unsigned long count = strtoul(argv[1], NULL, 10), started = 0;
  at_once = strtoul(argv[2], NULL, 10);
  int netns = open(argv[3], O_RDONLY);
  if (at_once < 1 || at_once > MOST_AT_ONCE || netns < 0 ||
      dup2(netns, NETNS) < 0) {
    perror(argv[3]);
    return 2;
  }
  if (netns != NETNS)
    close(netns);
  srandom((unsigned)now());
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_TIMERSLACK, 1); /* a moment within a life of half a ms */
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);

  long next_report = now() + REPORT_EVERY, next_rest = now();
  while (started < count || running > 0) {
    while (running < at_once && started < count && now() < next_rest) {
      kills_owed += started % KILL_EVERY == 0;
      if (!start(argv + 4))
        return 1;
      started++;
    }
    if (running == 0) {
      rest(REST);
      next_rest = now() + random() % REST_WITHIN;
    } else
      wait_for_children();
    if (now() >= next_report) {
      report();
      next_report = now() + REPORT_EVERY;
    }
  }
  end_processes();
  report();
}
