/*
 * The contract between the command line and the pinned sequence.
 *
 * Everything both halves must agree on is here once, as X-macro lists: the C
 * below and src/contract.ts (written by build/contract.ts through the
 * compiler) are two expansions of the same lines.
 */
#ifndef NSPIN_LAUNCH_H
#define NSPIN_LAUNCH_H

/*
 * One launch, F(name, meaning). Every field is a __u64, as in the kernel's own
 * extensible structs: no padding, no layout that depends on the machine.
 * Pointers are to NUL-terminated strings unless said otherwise; 0 is "none".
 */
#define LAUNCH_FIELDS(F)                                                       \
  F(size, "bytes of this struct, as the caller knows it")                      \
  F(netns, "path of the network namespace, or 0")                              \
  F(join, "1: join netns in the sequence; 0: the entering command does it")    \
  F(covers, "array of struct cover, in the order in which to take them")       \
  F(cover_count, "entries in covers")                                          \
  F(enter, "words of the entering command, each NUL-terminated, or 0")         \
  F(enter_count, "words in enter; an empty word stands for the thread's id")   \
  F(skip, "words of /proc/self/cmdline before the program")                    \
  F(lock, "path of the lock file that serializes changes to the host")         \
  F(failed_cover, "out: index of the cover that the failed step was about")

/* One bind mount: source seen at target. */
#define COVER_FIELDS(F)                                                        \
  F(source, "path of what the program shall see")                              \
  F(target, "path where it shall see it")

/*
 * The steps, in the order in which they are taken:
 * S(name, when, verb, object). "when" is ALWAYS, NETNS (with a network
 * namespace), COVERS (with at least one cover), COVER (for every cover),
 * SHARED (for every cover whose target's mount is shared), JOIN (joined in the
 * sequence). Consecutive COVER and SHARED steps are taken together, cover by
 * cover. Verb and object make both the error, "cannot VERB OBJECT", and the
 * line of --dry-run. The number of a step is its place in this list, from 1.
 */
#define LAUNCH_STEPS(S)                                                        \
  S(CONTRACT, ALWAYS, "read the plan", NONE)                                   \
  S(LEADER, ALWAYS, "run on the thread-group leader", NONE)                    \
  S(PRIVILEGE, ALWAYS, "use CAP_SYS_ADMIN", NONE)                              \
  S(INHERIT, ALWAYS, "keep the inherited file descriptors", NONE)              \
  S(ARGUMENTS, ALWAYS, "read the arguments", NONE)                             \
  S(FIND, ALWAYS, "find", COMMAND)                                             \
  S(OPEN_NETNS, NETNS, "open network namespace", NETNS)                        \
  S(CHECK_NETNS, NETNS, "use as a network namespace", NETNS)                   \
  S(OPEN_HOST, COVERS, "open the host's root directory", NONE)                 \
  S(OPEN_SOURCE, COVER, "open", SOURCE)                                        \
  S(OPEN_TARGET, COVER, "open", TARGET)                                        \
  S(COMPARE, COVER, "lay", BIND)                                               \
  S(LOCK, COVERS, "lock", LOCK)                                                \
  S(INSPECT, COVER, "look up the mount that holds", TARGET)                    \
  S(SELF_BIND, SHARED, "bind onto itself", TARGET)                             \
  S(PRIVATE, SHARED, "make private the mount on", TARGET)                      \
  S(UNSHARE, COVERS, "unshare the mount namespace", NONE)                      \
  S(BIND, COVER, "bind", BIND)                                                 \
  S(BIND_PRIVATE, COVER, "make private the bind mount on", TARGET)             \
  S(VERIFY_HERE, COVER, "verify the bind of", BIND)                            \
  S(VERIFY_HOST, COVER, "verify that the host keeps", TARGET)                  \
  S(JOIN_NETNS, JOIN, "join network namespace", NETNS)                         \
  S(RESTORE, ALWAYS, "restore signals and limits", NONE)                       \
  S(EXECUTE, ALWAYS, "execute", COMMAND)

#endif
