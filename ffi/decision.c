#include "decision.h"
#include "privilege.h"
#include "propagation-probe.h"

#include <asm/errno.h>
#include <asm/ioctl.h>
#include <asm/stat.h>
#include <linux/nsfs.h>
#include <linux/stat.h>

#define CONDITION(name, meaning) WHEN_##name,
enum condition { CONDITIONS(CONDITION) };

#define RULE(name, asked, when, act, why) {asked, WHEN_##when, ACT_##act},
static const struct rule {
  unsigned char asked, when, act;
} rules[] = {DECISIONS(RULE)};
enum { RULES = sizeof rules / sizeof *rules };

/*
 * Does the kernel know MOVE_MOUNT_SET_GROUP? By its answer, not its version.
 * -EBADF: it does; -EINVAL, -ENOSYS: not. -EPERM, move_mount(2) is refused, and
 * any other, is no answer to that.
 */
static long ask_to_rejoin(struct grounds *grounds) {
  if (grounds->rejoining == 0 || is_shortage(grounds->rejoining))
    grounds->rejoining = mount_set_group(-1, -1);
  return grounds->rejoining;
}

/* 1, 0 or -errno, as all of these. */
static long is_in_first_user_namespace(struct grounds *grounds) {
  enum { FIRST_USER_NAMESPACE = 0xeffffffd }; /* PROC_USER_INIT_INO */
  struct stat own;
  if (grounds->user_namespace == 0) {
    MUST(CALL(__NR_newfstatat, AT_FDCWD, "/proc/self/ns/user", &own, 0));
    grounds->user_namespace = own.st_ino;
  }
  return grounds->user_namespace == FIRST_USER_NAMESPACE;
}

/*
 * Then unshare(2) makes slaves of all shared mounts, mount_namespaces(7):
 * nothing that is mounted there leaves, and nothing could rejoin.
 */
static long is_foreign(struct grounds *grounds) {
  struct stat owner;
  long is_first = is_in_first_user_namespace(grounds);
  if (is_first != 0)
    return is_first < 0 ? is_first : 0;
  long fd = CALL(__NR_ioctl, grounds->host->mounts, NS_GET_USERNS);
  if (fd < 0)
    return fd == -EPERM; /* an ancestor of ours, or unrelated */
  long result = CALL(__NR_fstat, fd, &owner);
  CALL(__NR_close, fd);
  return result < 0 ? result : owner.st_ino != grounds->user_namespace;
}

struct shown { /* on another mount of that peer group */
  const struct mount *holder;
  char file[PATH_BYTES];
};

static int shows(const struct mount *mount, const void *data) {
  const struct shown *shown = data;
  return mount->peer_group == shown->holder->peer_group &&
         !text_equal(mount->id, shown->holder->id) &&
         text_is_below(shown->file, mount->root);
}

/* A pin would land on each peer that shows the file too. */
static long has_peer(const struct target *target) {
  struct shown shown = {.holder = &target->holder.mount};
  struct mount mount;
  if (shown.holder->peer_group == 0 ||
      mount_path_in(shown.holder, target->on_host.path, shown.file) < 0)
    return 0;
  return mount_search(OWN_TABLE, shows, &shown, &mount);
}

/* Where a rename can replace it, and where one mount keeps that off. */
static long is_to_be_pinned(const struct target *target) {
  if (target->host.kind != S_IFREG)
    return 0;
  long on_itself = target_is_on_itself(target);
  if (on_itself != 0)
    return on_itself; /* shared: a launch was killed before it was private */
  if (text_equal(target->holder.mount.point, target->on_host.path))
    return 0; /* nothing can be renamed over a mount */
  long peer = has_peer(target);
  return peer < 0 ? peer : !peer;
}

static long holds(enum condition when, struct target *target,
                  struct grounds *grounds) {
  const struct mount *mount = &target->holder.mount;
  long answer;
  switch (when) {
  case WHEN_ON_ITSELF:
    return mount->is_shared ? 0 : target_is_on_itself(target);
  case WHEN_PRIVATE:
    return !mount->is_shared;
  case WHEN_FOREIGN:
    return is_foreign(grounds);
  case WHEN_DIRECTORY:
    return target->host.kind == S_IFDIR;
  case WHEN_PEER:
    answer = target_is_on_itself(target);
    return answer == 0 ? has_peer(target) : answer < 0 ? answer : 0;
  case WHEN_PLAIN:
    return is_to_be_pinned(target);
  case WHEN_UNREACHABLE:
    answer = holder_open(&target->holder);
    return is_shortage(answer) ? answer : answer < 0;
  case WHEN_UNPRIVILEGED:
    return grounds->is_dry && may_mount() != 1;
  case WHEN_REFUSED:
    return ask_to_rejoin(grounds) == -EPERM;
  case WHEN_NO_SET_GROUP:
    answer = ask_to_rejoin(grounds);
    return answer == -EBADF                         ? 0
           : answer == -EINVAL || answer == -ENOSYS ? 1
                                                    : answer;
  case WHEN_USER_NAMESPACE:
    answer = is_in_first_user_namespace(grounds);
    return answer < 0 ? answer : !answer;
  case WHEN_BAD_GRAPH:
    if (!mount->is_slave)
      return 0;
    answer = propagation_is_sound(grounds->host);
    return answer < 0 ? answer : !answer;
  case WHEN_ABSENT:
    return target->is_absent || target->is_beside;
  case WHEN_LINK:
    return target->host.kind == S_IFLNK;
  case WHEN_ALWAYS:
    break;
  }
  return 1;
}

/* The number of the first row that fits, from 1; or -errno. */
static long find_row(struct target *target, int asked,
                     struct grounds *grounds) {
  for (int i = 0; i < RULES; i++) {
    if (!(rules[i].asked & asked))
      continue;
    long result = holds((enum condition)rules[i].when, target, grounds);
    if (result != 0)
      return result < 0 ? result : i + 1;
  }
  return -EINVAL; /* no such method */
}

long target_decide(struct target *target, struct cover *cover, int asked,
                   struct grounds *grounds) {
  long row = find_row(target, asked, grounds);
  if (row < 0)
    return row;
  if (rules[row - 1].act == ACT_PIN && asked != PIN) {
    /* What forbids a pin that is asked for forbids this one. */
    long as_pin = find_row(target, PIN, grounds);
    if (as_pin < 0)
      return as_pin;
    if (rules[as_pin - 1].act == ACT_REFUSE)
      row = as_pin;
  }
  target->act = rules[row - 1].act;
  target->is_pinned = target->act == ACT_PIN || row == DECISION_PINNED;
  target->must_leave =
      target->holder.mount.is_shared &&
      (target->act == ACT_REJOIN || target->act == ACT_OVERLAY ||
       target->act == ACT_UNKNOWN);
  target->is_kept =
      asked == AUTO && (target->act == ACT_REJOIN || target->act == ACT_COVER);
  cover->decision = (u64)row;
  if (target->act == ACT_PIN && cover->is_entry == OF_OWN_DNS)
    return -EINVAL; /* a daemon could not make its socket anew */
  return target->act == ACT_REFUSE ? -EOPNOTSUPP : 0;
}
