/*
 * The pinned sequence: from "am I the thread-group leader" to execve, in one
 * call on one thread. Mount namespaces belong to threads (unshare(2)): a
 * runtime that moves a caller between threads would mount on the host what was
 * meant for the program. Nothing can move us between two lines of this file.
 *
 * Everything is opened and checked before the first namespace changes; after
 * that there is only "become the program" or "say what failed".
 */
#include "etc.h"
#include "secure.h"
#include "target.h"

#include <asm/errno.h>
#include <asm/ioctl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

#define LOCK_EX 2 /* flock(2) */
#define TRIES 50  /* of a mount table that does not keep still */

struct sequence {
  enum step step; /* under way */
  u64 at;         /* the cover that it is about: */
  struct cover *cover;
  struct target *target;
  struct launch *launch;
  struct cover *covers;
  struct target *targets;
  struct host host;
  long netns, lock;
  char tid[NUMBER_BYTES];
  struct program *program;
  const struct record *record;
  struct rlimit64 limits[GUARD_LIMIT_COUNT];
};

static long check_contract(struct sequence *s) {
  s->netns = s->lock = -1;
  return s->launch->size == sizeof *s->launch ? 0 : -EINVAL;
}

/* execve gives a thread the leader's id: another one's would be gone. */
static long check_leader(void) {
  return CALL(__NR_gettid) == CALL(__NR_getpid) ? 0 : -ESRCH;
}

/* As /proc has it, where nsenter looks: it may be of another PID namespace. */
static long name_leader(struct sequence *s) {
  long length =
      CALL(__NR_readlinkat, AT_FDCWD, "/proc/self", s->tid, NUMBER_BYTES - 1);
  if (length >= 0)
    s->tid[length] = '\0';
  return length;
}

static long put_arguments(struct sequence *s) {
  const struct launch *launch = s->launch;
  MUST(program_arguments(s->program, s->record->arguments, launch->skip,
                         (const char *)launch->words, launch->word_count));
  if (launch->tid_word > 0)
    s->program->argv[launch->tid_word - 1] = s->tid;
  s->program->environment = s->record->environment;
  return 0;
}

static long check_privilege(void) {
  long result = host_may_mount();
  return result == 0 ? -EPERM : result;
}

/* A path first: opening a device or a FIFO for reading would act on it. */
static long open_netns(struct sequence *s) {
  return s->netns =
             CALL(__NR_openat, AT_FDCWD, s->launch->netns, O_PATH | O_CLOEXEC);
}

static long check_netns(struct sequence *s) {
  struct {
    long type, rest[31]; /* struct statfs, larger than any */
  } filesystem;
  char path[FD_PATH_BYTES];
  long result = CALL(__NR_fstatfs, s->netns, &filesystem);
  if (result < 0)
    return result;
  if (filesystem.type != NSFS_MAGIC)
    return -EINVAL;
  fd_path(path, s->netns);
  long opened = CALL(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (opened < 0)
    return opened;
  s->netns = opened;
  return CALL(__NR_ioctl, opened, NS_GET_NSTYPE) == CLONE_NEWNET ? 0 : -EINVAL;
}

/* One launch at a time changes the host's table. */
static long lock_host(struct sequence *s) {
  s->lock = CALL(__NR_openat, AT_FDCWD, s->launch->lock,
                 O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (s->lock < 0)
    return s->lock;
  long result;
  do
    result = CALL(__NR_flock, s->lock, LOCK_EX);
  while (result == -EINTR);
  return result;
}

static long allocate_targets(struct sequence *s) {
  s->covers = (struct cover *)s->launch->covers;
  long result = allocate(s->launch->cover_count * sizeof(struct target));
  s->targets = (struct target *)result;
  return is_error(result) ? result : 0;
}

/* By two names, or one within the other: the one would hide the other. */
static long check_apart(struct sequence *s, u64 cover) {
  const char *path = s->targets[cover].path;
  for (u64 i = 0; i < cover; i++)
    if (text_is_below(s->targets[i].path, path) ||
        text_is_below(path, s->targets[i].path))
      return -EEXIST;
  return 0;
}

/* Each holder is left and rejoined once, by the first cover that names it. */
static void name_holder(struct sequence *s, u64 cover) {
  u64 first = 0;
  while (!s->targets[first].must_leave ||
         !text_equal(s->targets[first].holder.mount.id,
                     s->targets[cover].holder.mount.id))
    if (++first >= cover)
      break;
  s->covers[cover].holder = first < cover ? first : cover;
}

/* The cover that the next steps are about. */
static int take(struct sequence *s, u64 cover) {
  s->at = cover;
  s->cover = &s->covers[cover];
  s->target = &s->targets[cover];
  return 1;
}

static int is_first_overlay(struct sequence *s, const struct target *target) {
  const struct target *first = s->targets;
  while (first->act != ACT_OVERLAY ||
         !text_equal(first->directory, target->directory))
    first++;
  return first == target;
}

/* The step under way is the one that failed, if any does. */
#define TRY(name, call)                                                        \
  do {                                                                         \
    s->step = STEP_##name;                                                     \
    MUST(call);                                                                \
  } while (0)
#define EACH_COVER                                                             \
  for (u64 i_ = 0; i_ < s->launch->cover_count && take(s, i_); i_++)
#define EACH_HOLDER                                                            \
  EACH_COVER if (s->target->must_leave && s->cover->holder == i_)

/* What is there, and what to do about it; changes nothing. */
static long decide(struct sequence *s, int is_dry) {
  TRY(LIST, etc_list(s->launch));
  if (s->launch->etc != 0)
    TRY(FIND_RESOLV_CONF, etc_find_resolv_conf(s->launch));
  if (s->launch->cover_count == 0)
    return 0;
  TRY(OPEN_HOST, host_open(&s->host));
  TRY(OPEN_HOST, allocate_targets(s));
  EACH_COVER {
    TRY(OPEN_SOURCE,
        target_open_source(s->target, (const char *)s->cover->source));
    TRY(OPEN_TARGET, target_open(s->target, (const char *)s->cover->target));
    TRY(COMPARE, target_compare(s->target));
    TRY(COMPARE, check_apart(s, i_));
    TRY(INSPECT, target_inspect(s->target, (int)s->launch->method));
    TRY(DECIDE, target_decide(s->target, s->cover, (int)s->launch->method,
                              is_dry, &s->host));
    name_holder(s, i_);
  }
  return 0;
}

static long prepare(struct sequence *s) {
  struct launch *launch = s->launch;
  TRY(LEADER, check_leader());
  TRY(LEADER, name_leader(s));
  TRY(SECURE, secure_check(s->record->environment_end));
  TRY(DIRECTORY, inherit_directory(s->record));
  TRY(PRIVILEGE, check_privilege());
  TRY(INHERIT, inherit_descriptors(s->record));
  TRY(ARGUMENTS, put_arguments(s));
  TRY(FIND, program_find(s->program));
  if (launch->netns != 0) {
    TRY(OPEN_NETNS, open_netns(s));
    TRY(CHECK_NETNS, check_netns(s));
  }
  return decide(s, 0);
}

/* The one change on the host, and only where no other way was found. */
static long pin(struct sequence *s) {
  EACH_COVER {
    if (s->target->act != ACT_PIN)
      continue;
    if (s->lock < 0)
      TRY(LOCK, lock_host(s));
    TRY(INSPECT, target_inspect(s->target, (int)s->launch->method));
    if (target_is_on_itself(s->target) != 1)
      TRY(SELF_BIND, target_self_bind(s->target));
    else if (!s->target->holder.mount.is_shared)
      continue; /* another launch was faster */
    TRY(PRIVATE, target_make_private(s->target));
  }
  return 0;
}

static long cover_once(struct sequence *s) {
  TRY(UNSHARE, host_leave(&s->host));
  EACH_HOLDER TRY(LEAVE, holder_leave(&s->target->holder));
  EACH_COVER TRY(OPEN_SHOWN,
                 target_open_shown(s->target, (char *)s->cover->source));
  EACH_COVER {
    if (s->target->act == ACT_OVERLAY && is_first_overlay(s, s->target))
      TRY(OVERLAY, target_overlay(s->target));
    TRY(BIND, target_bind(s->target));
    TRY(BIND_PRIVATE, target_make_cover_private(s->target));
    if (s->launch->read_only)
      TRY(READ_ONLY, target_make_read_only(s->target));
  }
  EACH_COVER TRY(VERIFY_HERE, target_verify(s->target));
  host_changed(&s->host); /* until here a slave was told of everything */
  EACH_HOLDER TRY(REJOIN, holder_rejoin(&s->target->holder));
  return 0;
}

static int is_rejoining(struct sequence *s) {
  EACH_HOLDER return 1;
  return 0;
}

/*
 * Again, from the host's namespace, where its table changed meanwhile: then a
 * step may have failed by that, or a mount gone missing while we rejoined.
 */
static long cover(struct sequence *s) {
  if (s->launch->cover_count == 0)
    return 0;
  host_changed(&s->host); /* by pin */
  for (int tries = 1;; tries++) {
    long result = cover_once(s);
    u64 about = s->at;
    if (!host_changed(&s->host) || (result == 0 && !is_rejoining(s))) {
      s->at = about;
      MUST(result);
      break;
    }
    if (tries == TRIES) {
      s->at = about;
      return result < 0 ? result : -EAGAIN; /* the last step was REJOIN */
    }
    EACH_HOLDER holder_close(&s->target->holder);
    TRY(UNSHARE, host_return(&s->host));
  }
  EACH_COVER TRY(VERIFY_HOST, target_verify_host(s->target, &s->host));
  return 0;
}

static long enter(struct sequence *s) {
  if (s->launch->join)
    TRY(JOIN_NETNS, CALL(__NR_setns, s->netns, CLONE_NEWNET));
  TRY(RESTORE, inherit_signals(s->record));
  for (int i = 0; i < GUARD_LIMIT_COUNT; i++)
    s->limits[i] = s->record->limits[i];
  TRY(RESTORE, inherit_limits(s->limits));
  return 0;
}

/* The mounts of this launch go again, in the host's namespace. */
static void undo(struct sequence *s) {
  if (s->launch->cover_count == 0 || host_return(&s->host) < 0)
    return;
  for (u64 i = s->launch->cover_count; i-- > 0;)
    target_take_back(&s->targets[i]);
}

static long become(struct sequence *s) {
  TRY(CONTRACT, check_contract(s));
  MUST(prepare(s));
  long result = pin(s);
  if (result == 0)
    result = cover(s);
  if (result == 0)
    result = enter(s);
  if (result < 0) {
    undo(s);
    return result;
  }
  /* The lock must not wait for a program on a disk that does not answer. */
  CALL(__NR_close, s->lock);
  s->step = STEP_EXECUTE;
  result = program_execute(s->program);
  inherit_limits(s->limits); /* the runtime still has to end with them */
  return result;
}

static long tell(struct sequence *s) {
  TRY(CONTRACT, check_contract(s));
  TRY(DIRECTORY, inherit_directory(s->record));
  return decide(s, 1);
}

static long unpin(struct sequence *s) {
  struct target target;
  TRY(CONTRACT, check_contract(s));
  TRY(PRIVILEGE, check_privilege());
  target.source.kind = 0; /* whatever it is, itself */
  const struct cover *cover = (const struct cover *)s->launch->covers;
  TRY(FIND_PIN, target_open(&target, (const char *)cover->target));
  TRY(LOCK, lock_host(s));
  TRY(FIND_PIN, target_find_pin(&target));
  TRY(UNPIN, mount_remove(target.pin));
  CALL(__NR_close, target.pin);
  CALL(__NR_close, s->lock);
  return 0;
}

static void conclude(const struct sequence *s, long result) {
  s->launch->failed_step = result < 0 ? s->step : STEP_NONE;
  s->launch->failed_cover = s->at;
  s->launch->failed_errno = (u64)-result;
}

void sequence_launch(struct launch *launch, const struct record *record,
                     struct program *program) {
  struct sequence s = {.launch = launch, .record = record, .program = program};
  conclude(&s, become(&s));
}

void sequence_decide(struct launch *launch, const struct record *record) {
  struct sequence s = {.launch = launch, .record = record};
  conclude(&s, tell(&s));
}

void sequence_unpin(struct launch *launch) {
  struct sequence s = {.launch = launch};
  conclude(&s, unpin(&s));
}
