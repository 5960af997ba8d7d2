/*
 * The pinned sequence: from "am I the thread-group leader" to execve, in one
 * call on one thread. Mount namespaces belong to threads (unshare(2)): a
 * runtime that moves a caller between threads would mount on the host what was
 * meant for the program. Nothing can move us between two lines of this file.
 *
 * Everything is opened and checked before the first namespace changes; after
 * that there is only "become the program" or "say what failed".
 */
#include "aside.h"
#include "decision.h"
#include "etc-netns.h"
#include "overlay.h"
#include "pin.h"
#include "privilege.h"
#include "report.h"
#include "secure.h"

#include <asm/errno.h>
#include <asm/ioctl.h>
#include <asm/stat.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

#define TRIES 50 /* of a host that does not keep still */
#define STEPS_BYTES (1 << 20)

struct sequence {
  enum step step; /* under way */
  u64 at;         /* the cover that it is about: */
  struct cover *cover;
  struct target *target;
  struct launch *launch;
  u64 asked_covers, asked_count; /* those of the plan, before etc is listed */
  struct block covers, targets;  /* of this attempt */
  struct host host;
  struct grounds grounds;
  long netns, lock;
  int is_dry;
  int lacks_keeper; /* where one was asked for: why */
  char tid[NUMBER_BYTES];
  struct program *program;
  const struct record *record;
  struct rlimit64 limits[GUARD_LIMIT_COUNT];
  char lacking[PATH_BYTES]; /* the directory in which resolv.conf is absent */
};

static long check_contract(struct sequence *s) {
  if (s->launch->size != sizeof *s->launch)
    return -EINVAL;
  if (s->launch->extras && s->record->aside == NULL)
    return -EOPNOTSUPP;
  s->asked_covers = s->launch->covers;
  s->asked_count = s->launch->cover_count;
  s->launch->failed_process = s->launch->step_count = 0;
  if (!s->is_dry)
    return 0;
  long steps = allocate(STEPS_BYTES);
  s->launch->steps = (u64)steps;
  return is_error(steps) ? steps : 0;
}

/* What a dry run tells: the step, and the cover that it is about. */
static void begin(struct sequence *s, enum step step) {
  s->step = step;
  if (!s->is_dry || s->launch->steps == 0 ||
      s->launch->step_count >= STEPS_BYTES / sizeof(u64))
    return;
  u64 *steps = (u64 *)s->launch->steps, *end = steps + s->launch->step_count;
  u64 begun = (u64)step | s->at << 32;
  if (end > steps && end[-1] == begun)
    return; /* in several calls */
  *end = begun;
  s->launch->step_count++;
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

static int has_mounts(const struct launch *launch) {
  return launch->cover_count > 0 || launch->etc != 0 || launch->extras != 0;
}

/*
 * Can nsenter do its part? It enters this thread's own mount namespace again,
 * setns(2), and opens the working directory. Where it cannot, and was not asked
 * for by name, the sequence starts the program itself.
 */
static long choose_entry(struct sequence *s) {
  struct launch *launch = s->launch;
  if (!has_mounts(launch) || (s->is_dry && may_mount() != 1))
    return 0;
  long directory = open_file(".", O_PATH);
  long result = !can_return() ? -EPERM : directory == -EACCES ? -EACCES : 0;
  close_file(&directory);
  if (result == 0 || launch->by_command == 2)
    return result;
  launch->by_command = 0;
  return 0;
}

/* The command that enters, the program's own words, then the command line's. */
static long put_arguments(struct sequence *s) {
  struct launch *launch = s->launch;
  MUST(program_arguments(s->program, s->record->arguments, launch->skip,
                         (const char *)launch->words, launch->word_count));
  if (launch->tid_word > 0)
    s->program->argv[launch->tid_word - 1] = s->tid;
  if (!launch->by_command) {
    s->program->argv += launch->command_words;
    launch->command_words = 0;
  }
  if (s->program->argv[launch->command_words] == NULL)
    return -EINVAL;
  s->program->environment = s->record->environment;
  return 0;
}

/* A path first: opening a device or a FIFO for reading would act on it. */
static long open_netns(struct sequence *s) {
  return s->netns = open_file((const char *)s->launch->netns, O_PATH);
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
  long opened = open_file(path, O_RDONLY);
  if (opened < 0)
    return opened;
  close_file(&s->netns);
  s->netns = opened;
  long type = CALL(__NR_ioctl, opened, NS_GET_NSTYPE);
  if (type != CLONE_NEWNET)
    return type == -EPERM ? type : -EINVAL;
  /* Only of a user namespace that is ours or below, ioctl_ns(2). */
  long owner = CALL(__NR_ioctl, opened, NS_GET_USERNS);
  long refusal = owner == -EPERM ? owner : 0;
  close_file(&owner);
  return refusal;
}

/* A dry run without privilege cannot look at everything. */
static long if_allowed(const struct sequence *s, long result) {
  return s->is_dry && (result == -EACCES || result == -EPERM) ? 0 : result;
}

static long allocate_targets(struct sequence *s) {
  u64 count = s->launch->cover_count;
  MUST(block_obtain(&s->targets, count * sizeof(struct target)));
  for (u64 i = 0; i < count; i++)
    target_init((struct target *)s->targets.at + i);
  return 0;
}

static struct target *target_at(const struct sequence *s, u64 cover) {
  return (struct target *)s->targets.at + cover;
}

/* By two names, or one within the other: the one would hide the other. */
static long check_apart(struct sequence *s, u64 cover) {
  const char *path = s->target->on_host.path;
  for (u64 i = 0; i < cover; i++) {
    const char *other = target_at(s, i)->on_host.path;
    if (text_is_below(other, path) || text_is_below(path, other))
      return -EEXIST;
  }
  return 0;
}

/*
 * An entry of etc without a namesake: an editor's copy, a log, .git. It goes
 * behind the covers, for a warning; ip-netns(8) goes on, too. Not resolv.conf,
 * without which the program would run with less than was asked for.
 */
static void leave_out(struct sequence *s, u64 cover) {
  struct launch *launch = s->launch;
  struct cover *covers = (struct cover *)launch->covers, one = covers[cover];
  u64 last = launch->cover_count - 1;
  for (u64 i = cover; i < last + launch->left_out; i++)
    covers[i] = covers[i + 1];
  covers[last + launch->left_out] = one;
  target_close(target_at(s, cover));
  launch->cover_count--;
  launch->left_out++;
}

static int can_be_left_out(const struct sequence *s) {
  struct place place;
  const char *target = (const char *)s->cover->target;
  if (s->cover->is_entry != 1 || s->launch->strict ||
      text_equal(target, "/etc/resolv.conf"))
    return 0;
  long result = path_open(-1, target, LINK_ITSELF, &place);
  close_file(&place.fd);
  return result == -ENOENT;
}

/* Each holder is left and rejoined once, by the first cover that names it. */
static void name_holder(struct sequence *s, u64 cover) {
  u64 first = 0;
  while (first < cover && !(target_at(s, first)->must_leave &&
                            text_equal(target_at(s, first)->holder.mount.id,
                                       s->target->holder.mount.id)))
    first++;
  s->cover->holder = first;
}

/* The cover that the next steps are about. */
static int take(struct sequence *s, u64 cover) {
  s->at = cover;
  s->cover = (struct cover *)s->launch->covers + cover;
  s->target = target_at(s, cover);
  return 1;
}

static int is_overlaid(const struct target *target) {
  return target->act == ACT_OVERLAY;
}

/* Not of what is itself a mount: nothing can be renamed over that. */
static int is_within(const struct target *target) {
  return target->is_kept && target->must_leave &&
         !text_equal(target->holder.mount.point, target->on_host.path);
}

static int is_root_of_holder(const struct target *target) {
  return text_equal(target->holder.mount.point, target->directory);
}

static int is_first_in_directory(const struct sequence *s, u64 cover) {
  u64 first = 0;
  while (!is_within(target_at(s, first)) ||
         !text_equal(target_at(s, first)->directory, s->target->directory))
    first++;
  return first == cover;
}

/* Before it is left: the clone shall stay in the host's peer group. */
static long clone_holder(const struct sequence *s) {
  const struct holder *holder = &target_at(s, s->cover->holder)->holder;
  return s->target->within.peer = mount_clone(holder->there, 0);
}

/* For the first cover that asks: each holder is left once. */
static int is_to_be_left(const struct sequence *s) {
  struct holder *holder = &target_at(s, s->cover->holder)->holder;
  int is_first = !holder->is_leaving;
  holder->is_leaving = 1;
  return is_first;
}

static long leave_holder(const struct sequence *s) {
  return holder_leave(&target_at(s, s->cover->holder)->holder);
}

/*
 * The cover whose directory is next, of those that are meant: in the order of
 * their names, in which a directory comes before those within it. Else the
 * number of covers.
 */
static u64 next_directory(const struct sequence *s, const char *after,
                          int (*is_meant)(const struct target *target)) {
  u64 count = s->launch->cover_count, next = count;
  for (u64 i = 0; i < count; i++) {
    const struct target *target = target_at(s, i);
    if (is_meant(target) &&
        (after == NULL || text_compare(target->directory, after) > 0) &&
        (next == count ||
         text_compare(target->directory, target_at(s, next)->directory) < 0))
      next = i;
  }
  return next;
}

static int relies_on_pin(const struct sequence *s) {
  for (u64 i = 0; i < s->launch->cover_count; i++)
    if (target_at(s, i)->is_pinned)
      return 1;
  return 0;
}

/* Nothing of this cover is needed any more but what would undo its pin. */
static void close_covered(struct target *target) {
  close_file(&target->clone);
  close_file(&target->below);
  close_file(&target->lower);
  if (target->pin < 0)
    close_file(&target->here.fd);
}

/* The step under way is the one that failed, if any does. */
#define LOOK(name, call)                                                       \
  do {                                                                         \
    begin(s, STEP_##name);                                                     \
    MUST(call);                                                                \
  } while (0)
/* A step that changes something, which a dry run only tells. */
#define TAKE(name, call)                                                       \
  do {                                                                         \
    begin(s, STEP_##name);                                                     \
    if (!s->is_dry)                                                            \
      MUST(call);                                                              \
  } while (0)
#define EACH_COVER                                                             \
  for (u64 i_ = 0; i_ < s->launch->cover_count && take(s, i_); i_++)
#define EACH_HOLDER                                                            \
  EACH_COVER if (s->target->must_leave && s->cover->holder == i_)
#define EACH_DIRECTORY(is_meant)                                               \
  for (u64 i_ = next_directory(s, NULL, is_meant);                             \
       i_ < s->launch->cover_count && take(s, i_);                             \
       i_ = next_directory(s, s->target->directory, is_meant))

/* /proc/self/ns/pid_for_children is not there before the first child. */
static int has_own_pid_namespace(void) {
  struct stat children;
  long result = CALL(__NR_newfstatat, AT_FDCWD,
                     "/proc/self/ns/pid_for_children", &children, 0);
  if (result < 0)
    return result != -ENOENT; /* any other error says nothing */
  u64 own = file_inode("/proc/self/ns/pid");
  return own == 0 || own == children.st_ino;
}

/*
 * The calls that it needs and that a kernel can lack (Linux 5.2, 5.3, 5.12) or
 * a filter refuse, each asked what it says of a descriptor that is none: 0,
 * -ENOSYS or -EPERM. What else they say is no answer to that.
 */
long sequence_keeper_calls(void) {
  static const short calls[] = {
      __NR_open_tree, __NR_pidfd_open, __NR_mount_setattr, __NR_dup,
      __NR_fcntl,     __NR_signalfd4,  __NR_ppoll};
  for (u64 i = 0; i < sizeof calls / sizeof *calls; i++) {
    long answer = CALL(calls[i], -1, "", AT_EMPTY_PATH, 0, 0);
    if (answer == -ENOSYS || answer == -EPERM)
      return answer;
  }
  return 0;
}

/*
 * Only of auto, and where its code is. After `unshare --pid` without --fork it
 * would be process 1 of the new PID namespace, pid_namespaces(7).
 */
static void choose_keeper(struct sequence *s) {
  struct launch *launch = s->launch;
  int is_asked = launch->keep && launch->method == AUTO && has_mounts(launch) &&
                 s->record->aside != NULL;
  int may_ask = !s->is_dry || may_mount() == 1; /* else all say EPERM */
  long calls = is_asked && may_ask ? sequence_keeper_calls() : 0;
  int is_alone = is_asked && !has_own_pid_namespace();
  s->lacks_keeper = calls == -EPERM ? REFUSED_KEEPER
                    : is_alone      ? LONE_KEEPER
                                    : 0;
  launch->keep = is_asked && calls == 0 && !is_alone;
}

/* What this process is, and the network namespace; changes nothing outside. */
static long prepare(struct sequence *s) {
  struct launch *launch = s->launch;
  TAKE(LEADER, check_leader());
  TAKE(LEADER, name_leader(s));
  TAKE(SECURE, secure_check(s->record->environment_end));
  LOOK(DIRECTORY, inherit_directory(s->record));
  TAKE(PRIVILEGE, privilege_check());
  TAKE(INHERIT, inherit_descriptors(s->record));
  if (launch->tid_word > 0)
    LOOK(ENTER, choose_entry(s));
  LOOK(ARGUMENTS, put_arguments(s));
  choose_keeper(s);
  if (launch->netns != 0) {
    LOOK(OPEN_NETNS, if_allowed(s, open_netns(s)));
    if (s->netns >= 0) /* a dry run can lack the right to open it */
      LOOK(CHECK_NETNS, if_allowed(s, check_netns(s)));
  }
  if (has_mounts(launch))
    LOOK(OPEN_HOST, host_open(&s->host));
  return 0;
}

/* Of auto: an overlay for one file of a directory is one for all of them. */
static void find_lacking(struct sequence *s) {
  struct place place;
  s->lacking[0] = '\0';
  if (s->launch->method != AUTO || s->launch->cover_count < 2 ||
      !etc_covers(s->launch, RESOLV_CONF_PATH))
    return;
  long result = path_open(-1, RESOLV_CONF_PATH, LINK_ITSELF, &place);
  close_file(&place.fd);
  if (result == -ENOENT && path_open(-1, "/etc", LINK_FOLLOWED, &place) == 0)
    text_copy(s->lacking, place.path);
  close_file(&place.fd);
}

static int is_lacking(const struct sequence *s) {
  return text_equal(s->target->directory, s->lacking);
}

/* No keeper can mount "/" on itself, for what lies in it. */
static int asked_of(struct sequence *s) {
  int method = (int)s->launch->method;
  if (method != AUTO)
    return method;
  s->target->is_beside = is_lacking(s);
  if (s->target->is_beside)
    return OVERLAY;
  return s->launch->keep && !text_equal(s->target->directory, "/") ? AUTO
                                                                   : STATIC;
}

/* What is there, and what to do about it; changes nothing. */
static long look(struct sequence *s) {
  struct launch *launch = s->launch;
  if (launch->etc != 0)
    begin(s, STEP_LIST);
  launch->left_out = 0;
  MUST(etc_list(launch, &s->covers));
  if (launch->extras & EXTRA_OWN_DNS)
    MUST(s->record->aside(ASIDE_OWN_DNS, launch, NULL, NULL, NULL));
  find_lacking(s);
  if (launch->etc != 0)
    LOOK(FIND_RESOLV_CONF, etc_find_resolv_conf(launch));
  MUST(allocate_targets(s));
  EACH_COVER {
    if (can_be_left_out(s)) {
      leave_out(s, i_--);
      continue;
    }
    int is_own = s->cover->is_entry == OF_OWN_DNS;
    begin(s, is_own ? STEP_OWN_DNS : STEP_OPEN_SOURCE);
    MUST(is_own
             ? s->record->aside(ASIDE_SOURCE, launch, s->target,
                                s->is_dry ? NULL : &s->host,
                                (const char *)s->cover->target)
             : target_open_source(s->target, (const char *)s->cover->source));
    LOOK(OPEN_TARGET, target_open(s->target, (const char *)s->cover->target,
                                  launch->method & (AUTO | OVERLAY)));
    if (s->target->is_absent)
      text_copy(s->lacking, s->target->directory);
    LOOK(COMPARE, target_compare(s->target));
    LOOK(COMPARE, check_apart(s, i_));
    LOOK(INSPECT, target_inspect(s->target, (int)launch->method));
    LOOK(DECIDE, target_decide(s->target, s->cover, asked_of(s), &s->grounds));
    name_holder(s, i_);
    if (!s->target->must_leave || s->cover->holder != i_)
      holder_close(&s->target->holder);
    if (!is_own)
      TAKE(CLONE, target_clone(s->target));
    if (is_within(s->target) && is_root_of_holder(s->target) &&
        is_first_in_directory(s, i_))
      TAKE(CLONE, clone_holder(s));
    if (s->target->act != ACT_PIN)
      close_file(&s->target->on_host.fd);
  }
  return 0;
}

/*
 * The one change on the host, and only where no other way was found: so not
 * where a mount that came and went hid another way.
 */
static long pin(struct sequence *s) {
  EACH_COVER {
    if (s->target->act != ACT_PIN)
      continue;
    begin(s, STEP_SELF_BIND);
    if (!s->is_dry && host_changed(&s->host))
      return -ESTALE;
    TAKE(SELF_BIND, pin_bind(s->target));
    host_changed(&s->host); /* by this; and by the next step */
    TAKE(PRIVATE, pin_make_private(s->target));
    host_changed(&s->host);
  }
  return 0;
}

/*
 * In a mount namespace of its own. Its holders are slaves first, which the host
 * tells of everything; what they would miss while they rejoin, poll(2) reports.
 */
static long cover(struct sequence *s) {
  if (s->launch->cover_count == 0 && !s->launch->extras)
    return 0;
  TAKE(UNSHARE, host_leave(&s->host));
  EACH_COVER { /* what would undo a pin; what an overlay will hide */
    if (s->target->act == ACT_PIN || s->target->act == ACT_OVERLAY)
      TAKE(OPEN_HERE, target_open_here(s->target));
    if (s->target->act == ACT_OVERLAY)
      TAKE(OPEN_HERE, overlay_open(s->target));
  }
  EACH_DIRECTORY(is_within) { /* a mount within is left as that shows it */
    if (is_to_be_left(s))
      TAKE(LEAVE, leave_holder(s));
    TAKE(WITHIN, directory_lay(&s->target->within, s->target->directory));
    struct holder *holder = &target_at(s, s->cover->holder)->holder;
    holder->is_covered |= is_root_of_holder(s->target);
    if (!holder->is_covered) /* few descriptors are to spare */
      close_file(&holder->here);
  }
  EACH_HOLDER if (is_to_be_left(s)) TAKE(LEAVE, leave_holder(s));
  EACH_DIRECTORY(is_overlaid)
  TAKE(OVERLAY, overlay_lay(s->target, is_lacking(s)));
  EACH_COVER {
    if (s->target->act != ACT_PIN && s->target->act != ACT_OVERLAY)
      TAKE(OPEN_HERE, target_open_here(s->target));
    TAKE(BIND_BELOW, target_bind_below(s->target));
    TAKE(BIND, target_bind(s->target, (const char *)s->cover->source));
    TAKE(BIND_PRIVATE, target_make_cover_private(s->target));
    if (s->launch->read_only)
      TAKE(READ_ONLY, target_make_read_only(s->target));
    close_covered(s->target);
  }
  EACH_COVER TAKE(VERIFY_HERE,
                  target_verify(s->target, (const char *)s->cover->target));
  host_changed(&s->host);
  EACH_HOLDER {
    TAKE(REJOIN, holder_rejoin(&s->target->holder));
    if (!s->is_dry && host_changed(&s->host))
      return -EAGAIN; /* what it missed meanwhile it would miss for ever */
    holder_close(&s->target->holder);
  }
  EACH_DIRECTORY(is_within) {
    TAKE(REJOIN, directory_rejoin(&s->target->within));
    if (!s->is_dry && host_changed(&s->host))
      return -EAGAIN;
  }
  EACH_COVER TAKE(VERIFY_HOST, target_verify_host(s->target, &s->host));
  return 0;
}

/*
 * The pins that this launch has made go again, and the thread goes back to the
 * host's mount namespace. The lock is still held, so nobody can rely on one of
 * them yet. What is open is closed first: descriptors can be what is missing.
 */
static long undo(struct sequence *s) {
  u64 count = s->targets.at == 0 ? 0 : s->launch->cover_count;
  for (u64 i = count; i-- > 0 && s->host.is_left;)
    pin_undo_here(target_at(s, i));
  long result = host_return(&s->host);
  for (u64 i = count; i-- > 0;)
    target_close(target_at(s, i));
  if (result < 0)
    return result;
  for (u64 i = count; i-- > 0;) {
    long undone = pin_undo_on_host(target_at(s, i));
    result = undone < 0 ? undone : result;
  }
  return result; /* where a pin stays, another attempt could add one */
}

/* What look() has opened and obtained, but for what a message names. */
static void close_targets(struct sequence *s) {
  u64 count = s->targets.at == 0 ? 0 : s->launch->cover_count;
  for (u64 i = count; i-- > 0;) {
    target_close(target_at(s, i));
    close_file(&target_at(s, i)->pin);
  }
  block_release(&s->targets);
}

static void forget(struct sequence *s) {
  close_targets(s);
  block_release(&s->covers);
  s->launch->covers = s->asked_covers;
  s->launch->cover_count = s->asked_count;
  s->at = 0;
  s->cover = NULL;
  s->target = NULL;
}

/*
 * Who relies on a pin holds the lock until the program is about to start, and
 * looks again once it is held: what was seen before may have changed.
 */
static long attempt(struct sequence *s) {
  MUST(look(s));
  if (relies_on_pin(s) && s->lock < 0) {
    TAKE(LOCK, s->lock = pin_lock((const char *)s->launch->lock));
    if (!s->is_dry) {
      forget(s);
      MUST(look(s));
    }
  }
  MUST(pin(s));
  return cover(s);
}

/*
 * An entry of etc that was listed, and taken away before it was opened; a mount
 * of the host's that is not shared any more, of which poll(2) says nothing; a
 * cover that has just been laid, and gone with the file that the host replaced.
 */
static int has_passed(const struct sequence *s, long result) {
  return (result == -ENOENT && s->cover != NULL && s->cover->is_entry &&
          (s->step == STEP_OPEN_SOURCE || s->step == STEP_OPEN_TARGET)) ||
         (result == -EINVAL &&
          (s->step == STEP_REJOIN || s->step == STEP_BIND_BELOW ||
           s->step == STEP_BIND_PRIVATE || s->step == STEP_READ_ONLY));
}

/*
 * Again from the start where something was exchanged while it was looked at
 * (-ESTALE), a mount can have gone missing while we rejoined (-EAGAIN), or a
 * step has failed while the host's table changed, which can be why.
 */
static long cover_all(struct sequence *s) {
  for (int tries = 1;; tries++) {
    host_changed(&s->host);
    long result = attempt(s);
    int is_doubtful = result == -ESTALE || result == -EAGAIN ||
                      has_passed(s, result) ||
                      (result < 0 && host_changed(&s->host));
    if (s->is_dry || !is_doubtful || tries == TRIES || undo(s) < 0)
      return result;
    forget(s);
  }
}

/*
 * What the program mounts on / reaches the host where that is a peer of process
 * 1's. 1 or 0; 1 also where nobody can tell.
 */
static int does_propagate(const struct sequence *s) {
  struct stat own;
  struct reader table;
  struct mount root, mount;
  u64 group = 0;
  if (CALL(__NR_fstat, s->host.mounts, &own) < 0 ||
      own.st_ino == file_inode("/proc/1/ns/mnt"))
    return 1;
  long here = open_itself("/");
  long result = here < 0 ? here : mount_of(here, &root);
  close_file(&here);
  if (result < 0)
    return 1;
  if (text_equal(s->tid, "1")) /* PrivatePIDs=: that table is its own */
    return !root.is_slave;
  if (read_open(&table, "/proc/1/mountinfo") < 0)
    return 1;
  while (mount_next(&table, &mount))
    if (text_equal(mount.point, "/"))
      group = mount.peer_group;
  read_close(&table);
  return group == 0 || root.peer_group == group;
}

/* As the program will see it; a dry run looks at the host instead. */
static long find_program(struct sequence *s) {
  const struct launch *launch = s->launch;
  const char *name = s->program->argv[launch->command_words];
  long result = program_find(s->program, name);
  if (s->is_dry && result < 0)
    for (u64 i = 0; i < launch->cover_count; i++)
      if (target_covers_directory(target_at(s, i)))
        return 0; /* it may be in there */
  return result;
}

/* A dry run leaves it to its caller, who tells all of it. */
static void warn(const struct sequence *s) {
  if (s->is_dry)
    return;
  report_left_out(s->launch);
  if (s->lacks_keeper)
    report_no_keeper(s->lacks_keeper);
  if (s->launch->cover_count > 0 && !does_propagate(s))
    report_propagation();
}

static int is_anything_kept(const struct sequence *s) {
  for (u64 i = 0; i < s->launch->cover_count; i++)
    if (target_at(s, i)->is_kept)
      return 1;
  return 0;
}

/* The way back is for a pin; and descriptors can be what is missing. */
static long keep(struct sequence *s) {
  if (!relies_on_pin(s))
    host_close(&s->host);
  return s->record->aside(ASIDE_KEEPER, s->launch,
                          (struct target *)s->targets.at, s->tid,
                          s->program->argv[s->launch->command_words]);
}

static long enter(struct sequence *s) {
  if (s->launch->by_command)
    LOOK(FIND_COMMAND, program_find(s->program, s->program->argv[0]));
  LOOK(FIND, find_program(s));
  warn(s);
  if (is_anything_kept(s))
    TAKE(KEEP, keep(s));
  if (s->launch->netns != 0)
    TAKE(JOIN_NETNS, CALL(__NR_setns, s->netns, CLONE_NEWNET));
  if (s->launch->extras & EXTRA_SYS)
    TAKE(SYS, s->record->aside(ASIDE_SYS, s->launch, NULL, NULL, NULL));
  TAKE(RESTORE, inherit_signals(s->record));
  for (int i = 0; i < GUARD_LIMIT_COUNT; i++)
    s->limits[i] = s->record->limits[i];
  TAKE(RESTORE, inherit_limits(s->limits));
  begin(s, STEP_EXECUTE);
  if (s->is_dry)
    return 0;
  long result = program_execute(s->program);
  inherit_limits(s->limits); /* the runtime still has to end with them */
  return result;
}

static long become(struct sequence *s) {
  LOOK(CONTRACT, check_contract(s));
  MUST(prepare(s));
  MUST(cover_all(s));
  return enter(s);
}

static long unpin(struct sequence *s) {
  struct launch *launch = s->launch;
  LOOK(CONTRACT, check_contract(s));
  LOOK(PRIVILEGE, privilege_check());
  LOOK(OPEN_HOST, host_open(&s->host));
  MUST(allocate_targets(s));
  take(s, 0);
  LOOK(LOCK, s->lock = pin_lock((const char *)launch->lock));
  LOOK(FIND_PIN, target_open(s->target, (const char *)s->cover->target, 0));
  LOOK(FIND_PIN, pin_find(s->target));
  if (!launch->force) {
    long user = pin_user(s->target);
    launch->failed_process = user > 0 ? (u64)user : 0;
    LOOK(CHECK_USE, user > 0 ? -EBUSY : user);
  }
  LOOK(UNPIN, pin_remove(s->target, &s->host));
  return 0;
}

static void conclude(struct sequence *s, long result) {
  undo(s);
  close_targets(s);
  host_close(&s->host);
  close_file(&s->netns);
  close_file(&s->lock);
  s->launch->failed_step = result < 0 ? s->step : STEP_NONE;
  s->launch->failed_cover = s->at;
  s->launch->failed_errno = (u64)-result;
}

/* Nothing is open; 0 would be a descriptor of the program's. */
#define NOT_OPEN .netns = -1, .lock = -1, .host = HOST_NOT_OPEN

void sequence_run(struct launch *launch, const struct record *record,
                  struct program *program, int is_dry) {
  struct sequence s = {NOT_OPEN, .launch = launch, .record = record,
                       .program = program, .is_dry = is_dry};
  s.grounds = (struct grounds){.host = &s.host, .is_dry = is_dry};
  conclude(&s, become(&s));
}

void sequence_unpin(struct launch *launch) {
  struct sequence s = {NOT_OPEN, .launch = launch};
  conclude(&s, unpin(&s));
}
