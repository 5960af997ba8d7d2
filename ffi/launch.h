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
  F(force, "1: unpin also what a process relies on")                           \
  F(steps, "out: of a dry run, the steps: array of step | cover << 32")        \
  F(step_count, "out: entries in steps")                                       \
  F(failed_process, "out: a process that it was about, or 0")                  \
  F(failed_step, "out: number of the step that failed, or 0")                  \
  F(failed_cover, "out: index of the cover that it was about")                 \
  F(failed_errno, "out: why")

/* One bind mount: source seen at target. */
#define COVER_FIELDS(F)                                                        \
  F(source, "path of what the program shall see")                              \
  F(target, "path where it shall see it; a symbolic link is covered itself")   \
  F(is_entry, "1: an entry of etc, with its namesake")                         \
  F(decision, "out: how it is covered, a row of DECISIONS from 1")             \
  F(holder, "out: the first cover whose target the same mount holds")

/* What --method can ask for, M(NAME, bit); the man pages' words in README. */
#define METHODS(M) M(AUTO, 1) M(PIN, 2) M(REJOIN, 4) M(OVERLAY, 8)

/*
 * How a target is covered: D(name, asked, when, act, why). The first row whose
 * asked holds the method, and whose condition holds for the target, decides;
 * the number of a decision is its place in this list, from 1. Where that is to
 * pin, what the rows for PIN refuse is refused. Acts: COVER lays the source on
 * and nothing else, REFUSE starts nothing, UNKNOWN is what a --dry-run without
 * privilege can say.
 */
#define DECISIONS(D)                                                           \
  D(PINNED, AUTO | PIN | REJOIN, ON_ITSELF, COVER,                             \
    "the host has it bound onto itself: nothing can take its place")           \
  D(FREE, AUTO | REJOIN, PRIVATE, COVER,                                       \
    "the mount that holds it is not shared: what lands on it goes nowhere")    \
  D(NO_PIN, PIN, DIRECTORY, REFUSE,                                            \
    "a directory is not pinned: what the host mounts in it later would reach " \
    "nobody else; rejoin and overlay, Linux 5.15, have no such limit")         \
  D(PIN_PASSES_ON, PIN, PEER, REFUSE,                                          \
    "the mount that holds it has a peer in this mount table, which would be "  \
    "pinned too; rejoin and overlay, Linux 5.15, have no such limit")          \
  D(ASKED_PIN, PIN, ALWAYS, PIN, "as asked")                                   \
  D(PLAIN, AUTO, PLAIN, PIN,                                                   \
    "it is a plain file: a rename over it would take the cover away")          \
  D(HIDDEN, AUTO, UNREACHABLE, PIN,                                            \
    "the root of the mount that holds it is covered, or outside of this root") \
  D(UNASKED, AUTO | REJOIN | OVERLAY, UNPRIVILEGED, UNKNOWN,                   \
    "only root can ask the kernel whether it can rejoin a peer group")         \
  D(OLD_KERNEL, AUTO, NO_SET_GROUP, PIN,                                       \
    "the kernel cannot rejoin a peer group (Linux 5.15)")                      \
  D(LOCKED, AUTO, USER_NAMESPACE, PIN,                                         \
    "in a user namespace a mount can be locked to its place, and not rejoin")  \
  D(BROKEN_GRAPH, AUTO, BAD_GRAPH, PIN,                                        \
    "it is held by a slave, and this kernel breaks propagation to those")      \
  D(LINK, AUTO, ALWAYS, REJOIN,                                                \
    "nothing stays on the host; it is no plain file that a rename replaces")   \
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
  W(DIRECTORY, "a directory")                                                  \
  W(PEER, "its mount has a peer here that shows the file too")                 \
  W(PLAIN, "a plain file, no mount itself, on a mount without such a peer")    \
  W(UNREACHABLE, "the root of the mount that holds it cannot be opened")       \
  W(UNPRIVILEGED, "a dry run without CAP_SYS_ADMIN")                           \
  W(NO_SET_GROUP, "the kernel does not know MOVE_MOUNT_SET_GROUP")             \
  W(USER_NAMESPACE, "it is not the first user namespace, user_namespaces(7)")  \
  W(BAD_GRAPH, "that mount is shared and a slave, and the probe finds a bug")

/*
 * The steps: S(name, fails, object, does). Where one fails, the message is
 * "cannot FAILS OBJECT"; a dry run says "DOES OBJECT", SAME where that is the
 * same verb. Their order is that of the calls in ffi/sequence.c, which a dry
 * run follows. The number of a step is its place in this list, from 1.
 */
#define LAUNCH_STEPS(S)                                                        \
  S(CONTRACT, "read the plan", NONE, SAME)                                     \
  S(LEADER, "run on the thread-group leader", NONE, SAME)                      \
  S(SECURE, "run setuid, setgid or with file capabilities", NONE,              \
    "check that no file capability, setuid or setgid bit is at work")          \
  S(DIRECTORY, "return to the working directory", NONE, SAME)                  \
  S(PRIVILEGE, "use CAP_SYS_ADMIN", NONE, SAME)                                \
  S(INHERIT, "keep the inherited file descriptors", NONE, SAME)                \
  S(ARGUMENTS, "put together the arguments", NONE, SAME)                       \
  S(OPEN_NETNS, "open network namespace", NETNS, SAME)                         \
  S(CHECK_NETNS, "use as a network namespace", NETNS,                          \
    "check that it is a network namespace:")                                   \
  S(OPEN_HOST, "open the host's root directory", NONE, SAME)                   \
  S(LIST, "list", ETC, SAME)                                                   \
  S(FIND_RESOLV_CONF, "find", RESOLV_CONF, SAME)                               \
  S(OPEN_SOURCE, "open", SOURCE, SAME)                                         \
  S(OPEN_TARGET, "open", TARGET, SAME)                                         \
  S(COMPARE, "lay", BIND, "compare")                                           \
  S(INSPECT, "look up the mount that holds", TARGET, SAME)                     \
  S(DECIDE, "use method", METHOD, SAME)                                        \
  S(CLONE, "clone", SOURCE, SAME)                                              \
  S(LOCK, "lock", LOCK, SAME)                                                  \
  S(SELF_BIND, "bind onto itself", TARGET, SAME)                               \
  S(PRIVATE, "make private the mount on", TARGET, SAME)                        \
  S(UNSHARE, "unshare the mount namespace", NONE, SAME)                        \
  S(OPEN_HERE, "open for the program", TARGET, SAME)                           \
  S(LEAVE, "make a slave of the mount that holds", TARGET, SAME)               \
  S(OVERLAY, "lay an overlay on the directory of", TARGET, SAME)               \
  S(BIND, "bind", BIND, SAME)                                                  \
  S(BIND_PRIVATE, "make private the bind mount on", TARGET, SAME)              \
  S(READ_ONLY, "make read-only the bind mount on", TARGET, SAME)               \
  S(BIND_AGAIN, "bind a second time", BIND, SAME)                              \
  S(VERIFY_HERE, "verify the bind of", BIND, SAME)                             \
  S(REJOIN, "rejoin the peer group of the mount that holds", TARGET, SAME)     \
  S(VERIFY_HOST, "verify that the host keeps", TARGET, SAME)                   \
  S(FIND, "find", COMMAND, SAME)                                               \
  S(JOIN_NETNS, "join network namespace", NETNS, SAME)                         \
  S(RESTORE, "restore signals and limits", NONE, SAME)                         \
  S(EXECUTE, "execute", COMMAND, SAME)                                         \
  S(FIND_PIN, "find a mount of method pin on", TARGET, SAME)                   \
  S(CHECK_USE, "unpin", USED, SAME)                                            \
  S(UNPIN, "unmount", TARGET, SAME)

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
  H(OPEN_TARGET, EACCES, ALWAYS,                                               \
    "a symbolic link on the way can be replaced by somebody else than root: "  \
    "name the path that it leads to")                                          \
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
  H(UNSHARE, ENOSPC, ALWAYS, MOUNT_NAMESPACES)                                 \
  H(OVERLAY, EBUSY, ALWAYS,                                                    \
    "something is mounted in there, which an overlay would hide")              \
  H(OVERLAY, ENODEV, ALWAYS,                                                   \
    "the kernel has no overlay file system: modprobe overlay")                 \
  H(CLONE, ENOSPC, ALWAYS, MOUNT_NAMESPACES)                                   \
  H(CLONE, EINVAL, ALWAYS,                                                     \
    "what has no path of its own, such as a pipe, cannot be bound")            \
  H(BIND, EINVAL, ALWAYS,                                                      \
    "what has no path of its own, such as a pipe, cannot be bound")            \
  H(BIND, ENOENT, ALWAYS,                                                      \
    "what is mounted there was removed from its own file system, so nothing "  \
    "can lie on it: umount it")                                                \
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
  H(BIND_AGAIN, ENOSPC, ALWAYS, MOUNT_MAX)                                     \
  H(ANY, ESTALE, ALWAYS,                                                       \
    "it changed meanwhile, and nothing was started: try again")
/* Those that only the command line meets, and no launcher. */
#define COMMAND_HINTS(H)                                                       \
  H(FIND, ENOENT, COMMAND,                                                     \
    "install util-linux, or enter without it: --enter setns")                  \
  H(FIND_PIN, EINVAL, ALWAYS,                                                  \
    "what is there is no mount of the file onto itself, as method pin leaves " \
    "it")                                                                      \
  H(FIND_PIN, EBUSY, ALWAYS,                                                   \
    "other mounts lie on it or in it: unmount them first")                     \
  H(CHECK_USE, EBUSY, ALWAYS,                                                  \
    "end it first; with --force the host can replace the file, and it then "   \
    "reads the host's")
/* What is cloned and not attached yet is in a mount namespace of its own. */
#define MOUNT_NAMESPACES "the limit is the sysctl user.max_mnt_namespaces"
#define MOUNT_MAX "the limit is the sysctl fs.mount-max"
#define KINDS "a file covers a file, a directory covers a directory"

#endif
