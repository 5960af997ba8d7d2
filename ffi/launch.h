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
  F(etc, "directory whose entries cover their namesakes in /etc, or 0")        \
  F(covers, "array of struct cover, in order; out: with those of etc")         \
  F(cover_count, "entries in covers; out: with those of etc")                  \
  F(method, "the method asked for: one bit, see METHODS")                      \
  F(read_only, "1: the program cannot write what covers")                      \
  F(words, "words before those of the command line, each NUL-terminated")      \
  F(word_count, "words in words")                                              \
  F(tid_word, "1: the first, and so on, is replaced by the thread's id; or 0") \
  F(by_command, "1: words are a command that enters, and starts the program")  \
  F(skip, "words of the command line before the program")                      \
  F(lock, "path of the lock file that serializes changes to the host")         \
  F(failed_step, "out: number of the step that failed, or 0")                  \
  F(failed_cover, "out: index of the cover that it was about")                 \
  F(failed_errno, "out: why")

/* One bind mount: source seen at target. */
#define COVER_FIELDS(F)                                                        \
  F(source, "path of what the program shall see")                              \
  F(target, "path where it shall see it; a symbolic link is covered itself")   \
  F(is_entry, "1: an entry of etc, with its namesake")                         \
  F(decision, "in: 0, or the decision already told; out: the one taken")       \
  F(holder, "out: the first cover whose target the same mount holds")

/* What --method can ask for, M(NAME, bit); the man pages' words in README. */
#define METHODS(M) M(AUTO, 1) M(PIN, 2) M(REJOIN, 4) M(OVERLAY, 8)

/*
 * How a target is covered: D(name, asked, when, act, why). The first row whose
 * asked holds the method, and whose condition holds for the target, decides;
 * the number of a decision is its place in this list, from 1. Acts: COVER lays
 * the source on and nothing else, REFUSE starts nothing, UNKNOWN is told by a
 * --dry-run without privilege only.
 */
#define DECISIONS(D)                                                           \
  D(PINNED, AUTO | PIN | REJOIN, ON_ITSELF, COVER,                             \
    "the host has it bound onto itself: nothing can take its place")           \
  D(FREE, AUTO | REJOIN, PRIVATE, COVER,                                       \
    "the mount that holds it is not shared: what lands on it goes nowhere")    \
  D(ASKED_PIN, PIN, ALWAYS, PIN, "as asked")                                   \
  D(PLAIN, AUTO, PLAIN, PIN,                                                   \
    "it is no symbolic link: a rename over it would take the cover away")      \
  D(HIDDEN, AUTO, UNREACHABLE, PIN,                                            \
    "the root of the mount that holds it is covered, or outside of this root") \
  D(UNASKED, AUTO | REJOIN | OVERLAY, UNPRIVILEGED, UNKNOWN,                   \
    "whether the kernel can rejoin a peer group, it tells root only")          \
  D(OLD_KERNEL, AUTO, NO_SET_GROUP, PIN,                                       \
    "the kernel cannot rejoin a peer group (Linux 5.15)")                      \
  D(LOCKED, AUTO, USER_NAMESPACE, PIN,                                         \
    "in a user namespace a mount can be locked to its place, and not rejoin")  \
  D(BROKEN_GRAPH, AUTO, BAD_GRAPH, PIN,                                        \
    "it is held by a slave, and this kernel breaks propagation to those")      \
  D(LINK, AUTO, ALWAYS, REJOIN,                                                \
    "it is a symbolic link, covered itself: the host may replace its target")  \
  D(ALONE, OVERLAY, PRIVATE, OVERLAY, "as asked; nothing to rejoin")           \
  D(NO_HOLDER, REJOIN | OVERLAY, UNREACHABLE, REFUSE,                          \
    "the root of the mount that holds it is covered, or outside of this root") \
  D(NO_REJOIN, REJOIN | OVERLAY, NO_SET_GROUP, REFUSE,                         \
    "the kernel cannot rejoin a peer group (Linux 5.15); pin works on any")    \
  D(BAD_REJOIN, REJOIN | OVERLAY, BAD_GRAPH, REFUSE,                           \
    "it is held by a slave, and this kernel breaks propagation to those")      \
  D(ASKED_REJOIN, REJOIN, ALWAYS, REJOIN, "as asked")                          \
  D(ASKED_OVERLAY, OVERLAY, ALWAYS, OVERLAY, "as asked")

/* The conditions above: W(name, meaning). */
#define CONDITIONS(W)                                                          \
  W(ALWAYS, "otherwise")                                                       \
  W(ON_ITSELF, "a private mount of the file onto itself is there")             \
  W(PRIVATE, "the mount that holds it is not shared")                          \
  W(PLAIN, "a plain file or a directory")                                      \
  W(UNREACHABLE, "the root of the mount that holds it cannot be opened")       \
  W(UNPRIVILEGED, "a dry run without CAP_SYS_ADMIN")                           \
  W(NO_SET_GROUP, "the kernel does not know MOVE_MOUNT_SET_GROUP")             \
  W(USER_NAMESPACE, "it is not the first user namespace, user_namespaces(7)")  \
  W(BAD_GRAPH, "that mount is shared and a slave, and the probe finds a bug")

/*
 * The steps, in the order in which they are taken: S(name, when, verb, object).
 * "when" is ALWAYS, NETNS (with a network namespace), ETC (with etc), COVERS
 * (with at least one cover), JOIN (joined in the sequence), UNPIN (by
 * nspin_unpin only), or one cover at a time: COVER (every one), PIN, OVERLAY
 * (by that act), READ_ONLY, and on their own EVERY (every one) and HOLDER (once
 * for each mount to be left and rejoined). Consecutive steps of the former kind
 * are taken together, cover by cover. Verb and object make both the error,
 * "cannot VERB OBJECT", and the line of --dry-run. The number of a step is its
 * place in this list, from 1.
 */
#define LAUNCH_STEPS(S)                                                        \
  S(CONTRACT, ALWAYS, "read the plan", NONE)                                   \
  S(LEADER, ALWAYS, "run on the thread-group leader", NONE)                    \
  S(SECURE, ALWAYS, "run setuid, setgid or with file capabilities", NONE)      \
  S(DIRECTORY, ALWAYS, "return to the working directory", NONE)                \
  S(PRIVILEGE, ALWAYS, "use CAP_SYS_ADMIN", NONE)                              \
  S(INHERIT, ALWAYS, "keep the inherited file descriptors", NONE)              \
  S(ARGUMENTS, ALWAYS, "put together the arguments", NONE)                     \
  S(FIND, ALWAYS, "find", COMMAND)                                             \
  S(OPEN_NETNS, NETNS, "open network namespace", NETNS)                        \
  S(CHECK_NETNS, NETNS, "use as a network namespace", NETNS)                   \
  S(LIST, ETC, "list", ETC)                                                    \
  S(FIND_RESOLV_CONF, ETC, "find", RESOLV_CONF)                                \
  S(OPEN_HOST, COVERS, "open the host's root directory", NONE)                 \
  S(OPEN_SOURCE, COVER, "open", SOURCE)                                        \
  S(OPEN_TARGET, COVER, "open", TARGET)                                        \
  S(COMPARE, COVER, "lay", BIND)                                               \
  S(INSPECT, COVER, "look up the mount that holds", TARGET)                    \
  S(DECIDE, COVER, "use method", METHOD)                                       \
  S(LOCK, PINS, "lock", LOCK)                                                  \
  S(SELF_BIND, PIN, "bind onto itself", TARGET)                                \
  S(PRIVATE, PIN, "make private the mount on", TARGET)                         \
  S(UNSHARE, COVERS, "unshare the mount namespace", NONE)                      \
  S(LEAVE, HOLDER, "make a slave of the mount that holds", TARGET)             \
  S(OPEN_SHOWN, EVERY, "open for the program", SOURCE)                         \
  S(OVERLAY, OVERLAY, "lay an overlay on the directory of", TARGET)            \
  S(BIND, COVER, "bind", BIND)                                                 \
  S(BIND_PRIVATE, COVER, "make private the bind mount on", TARGET)             \
  S(READ_ONLY, READ_ONLY, "make read-only the bind mount on", TARGET)          \
  S(VERIFY_HERE, EVERY, "verify the bind of", BIND)                            \
  S(REJOIN, HOLDER, "rejoin the peer group of the mount that holds", TARGET)   \
  S(VERIFY_HOST, COVER, "verify that the host keeps", TARGET)                  \
  S(JOIN_NETNS, JOIN, "join network namespace", NETNS)                         \
  S(RESTORE, ALWAYS, "restore signals and limits", NONE)                       \
  S(EXECUTE, ALWAYS, "execute", COMMAND)                                       \
  S(FIND_PIN, UNPIN, "find a mount of method pin on", TARGET)                  \
  S(UNPIN, UNPIN, "unmount", TARGET)

/*
 * Where errno alone misleads, H(step, errno, when, hint), the first row that
 * fits; ANY step. "when": ALWAYS; COMMAND, where another command enters; or
 * ENTRY, where it is about an entry of etc. DECIDE, EOPNOTSUPP: the decision's
 * own reason.
 */
#define HINTS(H)                                                               \
  H(SECURE, EPERM, ALWAYS, "start it as root, for example with sudo")          \
  H(PRIVILEGE, EPERM, ALWAYS, "run it as root, for example with sudo")         \
  H(ARGUMENTS, EINVAL, ALWAYS, "no program is named: give one")                \
  H(OPEN_NETNS, ENOENT, ALWAYS,                                                \
    "'ip netns list' shows the network namespaces that have a name")           \
  H(CHECK_NETNS, EINVAL, ALWAYS,                                               \
    "it is a file of another kind: 'ip netns add NAME' makes /run/netns/NAME") \
  H(FIND_RESOLV_CONF, ENOENT, ALWAYS,                                          \
    "create it, name another with --bind FILE:/etc/resolv.conf, or keep the "  \
    "host's with --no-etc")                                                    \
  H(OPEN_SOURCE, ENOENT, ALWAYS,                                               \
    "this is what the program shall see: it must exist")                       \
  H(OPEN_TARGET, ENOENT, ENTRY,                                                \
    "each entry of /etc/netns/ID covers its namesake in /etc, which must "     \
    "exist")                                                                   \
  H(OPEN_TARGET, ENOENT, ALWAYS,                                               \
    "only what exists can be covered: create it first")                        \
  H(COMPARE, ENOTDIR, ALWAYS, KINDS)                                           \
  H(COMPARE, EISDIR, ALWAYS, KINDS)                                            \
  H(COMPARE, EBUSY, ALWAYS, "the root directory itself cannot be covered")     \
  H(COMPARE, EEXIST, ALWAYS,                                                   \
    "another cover is on it, or within it, or around it")                      \
  H(UNSHARE, ENOSPC, ALWAYS,                                                   \
    "the limit is the sysctl user.max_mnt_namespaces")                         \
  H(OVERLAY, EBUSY, ALWAYS,                                                    \
    "something is mounted in there, which an overlay would hide")              \
  H(OVERLAY, ENODEV, ALWAYS,                                                   \
    "the kernel has no overlay file system: modprobe overlay")                 \
  H(BIND, EINVAL, ALWAYS,                                                      \
    "what has no path of its own, such as a pipe, cannot be bound")            \
  H(READ_ONLY, ENOSYS, ALWAYS, "of a directory, --read-only needs Linux 5.12") \
  H(REJOIN, EINVAL, ALWAYS,                                                    \
    "a mount that is locked to its place, user_namespaces(7), cannot rejoin: " \
    "--method pin")                                                            \
  H(REJOIN, EAGAIN, ALWAYS,                                                    \
    "the host's mount table changed each time, 50 times over: try again")      \
  H(EXECUTE, E2BIG, ALWAYS,                                                    \
    "arguments and environment together are longer than execve(2) takes")      \
  H(SELF_BIND, ENOSPC, ALWAYS, MOUNT_MAX)                                      \
  H(BIND, ENOSPC, ALWAYS, MOUNT_MAX)                                           \
  H(ANY, ESTALE, ALWAYS,                                                       \
    "it changed meanwhile, and nothing was started: try again")
/* Those that only the command line meets, and no launcher. */
#define COMMAND_HINTS(H)                                                       \
  H(FIND, ENOENT, COMMAND,                                                     \
    "install util-linux, or enter without it: --enter setns")                  \
  H(FIND_PIN, EINVAL, ALWAYS,                                                  \
    "what is there is no mount of the file onto itself, as method pin leaves " \
    "it")                                                                      \
  H(FIND_PIN, EBUSY, ALWAYS, "other mounts lie in it: unmount them first")
#define MOUNT_MAX "the limit is the sysctl fs.mount-max"
#define KINDS "a file covers a file, a directory covers a directory"

#endif
