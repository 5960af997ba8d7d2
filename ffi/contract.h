/*
 * The contract between the command line and the pinned sequence.
 *
 * Everything both halves must agree on is here once, as X-macro lists: the C
 * below and src/contract.ts (written by build/contract.ts through the
 * compiler) are two expansions of the same lines.
 */
#ifndef NSPIN_CONTRACT_H
#define NSPIN_CONTRACT_H

/*
 * One launch, F(name, meaning). Every field is a __u64, as in the kernel's own
 * extensible structs: no padding, no layout that depends on the machine. New
 * ones come last: `nspin inspect` reads launchers of older versions.
 * Pointers are to NUL-terminated strings unless said otherwise; 0 is "none".
 */
#define LAUNCH_FIELDS(F)                                                       \
  F(size, "bytes of this struct, as the caller knows it")                      \
  F(netns, "path of the network namespace, or 0")                              \
  F(etc, "directory whose entries cover their namesakes in /etc, or 0")        \
  F(covers, "array of struct cover, in order; out: with those of etc")         \
  F(cover_count, "entries in covers; out: with those of etc")                  \
  F(method, "the method asked for: one bit, see METHODS")                      \
  F(keep, "1: a keeper stays with what method auto covers")                    \
  F(read_only, "1: the program cannot write what covers")                      \
  F(words, "words before those of the command line, each NUL-terminated")      \
  F(word_count, "words in words")                                              \
  F(tid_word, "1: the first, and so on, is replaced by the thread's id; or 0") \
  F(by_command,                                                                \
    "words are a command that starts it; 1: if it can, 2: it must")            \
  F(skip, "words of the command line before the program")                      \
  F(lock, "path of the lock file that serializes changes to the host")         \
  F(strict, "1: an entry of etc without a namesake in /etc is an error")       \
  F(left_out, "out: how many such entries come behind the covers")             \
  F(force, "1: unpin also what a process relies on")                           \
  F(steps, "out: of a dry run, the steps: array of step | cover << 32")        \
  F(step_count, "out: entries in steps")                                       \
  F(failed_process, "out: a process that it was about, or 0")                  \
  F(failed_step, "out: number of the step that failed, or 0")                  \
  F(failed_cover, "out: index of the cover that it was about")                 \
  F(failed_errno, "out: why")                                                  \
  F(netns_argument, "a launcher's first argument names netns; 2: and etc")     \
  F(command_words, "how many of words are that command's; the program's "      \
                   "follow")                                                   \
  F(extras, "what few launches ask for, see EXTRAS")

/* One bind mount: source seen at target. */
#define COVER_FIELDS(F)                                                        \
  F(source, "path of what the program shall see")                              \
  F(target, "path where it shall see it; a symbolic link is covered itself")   \
  F(is_entry, "1: an entry of etc, with its namesake; 2: of --own-dns")        \
  F(decision, "out: how it is covered, a row of DECISIONS from 1")             \
  F(holder, "out: the first cover whose target the same mount holds")

/*
 * What --own-dns covers where it is there, O(NAME, path), aside/own-dns.c: each
 * cover can be lost by itself, and any other one tells that it was asked for.
 */
#define OWN_DNS_TARGETS(O)                                                     \
  O(NSSWITCH, "/etc/nsswitch.conf")                                            \
  O(NSCD, "/run/nscd")                                                         \
  O(RESOLVED, "/run/systemd/resolve/io.systemd.Resolve")

/* What --method can ask for, M(NAME, bit): docs/how-it-works.md has each. */
#define METHODS(M) M(AUTO, 1) M(PIN, 2) M(REJOIN, 4) M(OVERLAY, 8)
/* Options that few launches have, X(NAME, bit): --sys, --own-dns; aside.h. */
#define EXTRAS(X) X(SYS, 1) X(OWN_DNS, 2)
/* AUTO without a keeper: what is decided at the start must hold. */
#define STATIC 16

/*
 * How a target is covered: D(name, asked, when, act, why). The first row whose
 * asked holds the method, and whose condition holds for the target, decides;
 * the number of a decision is its place in this list, from 1. Where that is to
 * pin, what the rows for PIN refuse is refused. Acts: COVER lays the source on
 * and nothing else, REFUSE starts nothing, UNKNOWN is what a --dry-run without
 * privilege can say.
 */
#define DECISIONS(D)                                                           \
  D(PINNED, AUTO | STATIC | PIN | REJOIN, ON_ITSELF, COVER,                    \
    "the host has it bound onto itself: nothing can take its place")           \
  D(FREE, AUTO | STATIC | REJOIN, PRIVATE, COVER,                              \
    "the mount that holds it is not shared: what lands on it goes nowhere")    \
  D(FOREIGN, AUTO | STATIC | REJOIN, FOREIGN, COVER,                           \
    "the mounts belong to another user namespace, whose copy here is a slave") \
  D(NO_PIN, PIN, DIRECTORY, REFUSE,                                            \
    "a directory is not pinned: what the host mounts in it later would reach " \
    "nobody else; rejoin and overlay, Linux 5.15, have no such limit")         \
  D(PIN_PASSES_ON, PIN, PEER, REFUSE,                                          \
    "the mount that holds it has a peer in this mount table, which would be "  \
    "pinned too; rejoin and overlay, Linux 5.15, have no such limit")          \
  D(ASKED_PIN, PIN, ALWAYS, PIN, "as asked")                                   \
  D(PLAIN, STATIC, PLAIN, PIN,                                                 \
    "it is a plain file: a rename over it would take the cover away")          \
  D(HIDDEN, AUTO | STATIC, UNREACHABLE, PIN,                                   \
    "the root of the mount that holds it is covered, or outside of this root") \
  D(UNASKED, AUTO | STATIC | REJOIN | OVERLAY, UNPRIVILEGED, UNKNOWN,          \
    "only root can ask the kernel whether it can rejoin a peer group")         \
  D(REFUSED, AUTO | STATIC | REJOIN | OVERLAY, REFUSED, REFUSE,                \
    "move_mount(2) is refused, by a seccomp filter for one (systemd's "        \
    "SystemCallFilter=); --method pin does without")                           \
  D(OLD_KERNEL, AUTO | STATIC, NO_SET_GROUP, PIN,                              \
    "the kernel cannot rejoin a peer group (Linux 5.15)")                      \
  D(LOCKED, AUTO | STATIC, USER_NAMESPACE, PIN,                                \
    "in a user namespace a mount can be locked to its place, and not rejoin")  \
  D(BROKEN_GRAPH, AUTO | STATIC, BAD_GRAPH, PIN,                               \
    "it is held by a slave, and this kernel breaks propagation to those")      \
  D(KEPT, AUTO, ALWAYS, REJOIN,                                                \
    "nothing of it stays on the host; a keeper covers it again where the "     \
    "host "                                                                    \
    "replaces it")                                                             \
  D(LINK, STATIC, LINK, REJOIN,                                                \
    "it is a symbolic link, covered itself: the host may replace its target")  \
  D(REST, STATIC, ALWAYS, REJOIN, "nothing of it stays on the host")           \
  D(ALONE, OVERLAY, PRIVATE, OVERLAY, "as asked; nothing to rejoin")           \
  D(NO_HOLDER, REJOIN | OVERLAY, UNREACHABLE, REFUSE,                          \
    "the root of the mount that holds it is covered, or outside of this root") \
  D(NO_REJOIN, REJOIN | OVERLAY, NO_SET_GROUP, REFUSE,                         \
    "the kernel cannot rejoin a peer group (Linux 5.15); pin works on any")    \
  D(BAD_REJOIN, REJOIN | OVERLAY, BAD_GRAPH, REFUSE,                           \
    "it is held by a slave, and this kernel breaks propagation to those")      \
  D(ASKED_REJOIN, REJOIN, ALWAYS, REJOIN, "as asked")                          \
  D(ABSENT, OVERLAY, ABSENT, OVERLAY,                                          \
    "the host has no resolv.conf: in an overlay of its directory there is "    \
    "one")                                                                     \
  D(ASKED_OVERLAY, OVERLAY, ALWAYS, OVERLAY, "as asked")

/* The conditions above: W(name, meaning). */
#define CONDITIONS(W)                                                          \
  W(ALWAYS, "otherwise")                                                       \
  W(ON_ITSELF, "a private mount of the file onto itself is there")             \
  W(PRIVATE, "the mount that holds it is not shared")                          \
  W(FOREIGN, "the mount namespace belongs to another user namespace")          \
  W(DIRECTORY, "a directory")                                                  \
  W(PEER, "its mount has a peer here that shows the file too")                 \
  W(PLAIN, "a plain file, no mount itself, on a mount without such a peer")    \
  W(UNREACHABLE, "the root of the mount that holds it cannot be opened")       \
  W(UNPRIVILEGED, "a dry run without CAP_SYS_ADMIN")                           \
  W(REFUSED, "move_mount(2) answers EPERM")                                    \
  W(NO_SET_GROUP, "the kernel does not know MOVE_MOUNT_SET_GROUP")             \
  W(USER_NAMESPACE, "it is not the first user namespace, user_namespaces(7)")  \
  W(BAD_GRAPH,                                                                 \
    "that mount is shared and a slave, and the probe finds a bug, or cannot "  \
    "be made without CAP_SYS_CHROOT")                                          \
  W(ABSENT, "the host has no resolv.conf, and it or another file beside it")   \
  W(LINK, "a symbolic link")

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
  S(ENTER, "enter by nsenter", NONE, "check that nsenter can enter")           \
  S(ARGUMENTS, "put together the arguments", NONE, SAME)                       \
  S(OPEN_NETNS, "open network namespace", NETNS, SAME)                         \
  S(CHECK_NETNS, "use as a network namespace", NETNS,                          \
    "check that it is a network namespace:")                                   \
  S(OPEN_HOST, "open the host's root directory", NONE, SAME)                   \
  S(LIST, "list", ETC, SAME)                                                   \
  S(FIND_RESOLV_CONF, "find", RESOLV_CONF, SAME)                               \
  S(OWN_DNS, "make what covers", TARGET, "make, in memory, what covers")       \
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
  S(WITHIN, "bind onto itself, for the program, the directory of", TARGET,     \
    SAME)                                                                      \
  S(OVERLAY, "lay an overlay on the directory of", TARGET, SAME)               \
  S(BIND_BELOW, "bind onto itself, for the program,", TARGET, SAME)            \
  S(BIND, "bind", BIND, SAME)                                                  \
  S(BIND_PRIVATE, "make private the bind mount on", TARGET, SAME)              \
  S(READ_ONLY, "make read-only the bind mount on", TARGET, SAME)               \
  S(VERIFY_HERE, "verify the bind of", BIND, SAME)                             \
  S(REJOIN, "rejoin the peer group of the mount that holds", TARGET, SAME)     \
  S(VERIFY_HOST, "verify that the host keeps", TARGET, SAME)                   \
  S(FIND_COMMAND, "find", COMMAND, SAME)                                       \
  S(FIND, "find", PROGRAM, SAME)                                               \
  S(KEEP, "start the keeper", NONE, SAME)                                      \
  S(JOIN_NETNS, "join network namespace", NETNS, SAME)                         \
  S(SYS, "lay a sysfs on /sys", NONE,                                          \
    "lay a sysfs of the network namespace on /sys")                            \
  S(RESTORE, "restore signals and limits", NONE, SAME)                         \
  S(EXECUTE, "execute", COMMAND, SAME)                                         \
  S(FIND_PIN, "find a mount of method pin on", TARGET, SAME)                   \
  S(CHECK_USE, "unpin", USED, SAME)                                            \
  S(UNPIN, "unmount", TARGET, SAME)

/*
 * Where errno alone misleads, H(step, errno, when, hint), the first row that
 * fits; ANY step. "when", looked at when the step has failed: ALWAYS; ENTRY, it
 * is about an entry of etc; PLACEHOLDER, netns is an empty file; DANGLING, it
 * is a symbolic link; SCRIPT, the program was found, and is one; FILTERED, a
 * seccomp filter is at work. DECIDE, EOPNOTSUPP: the decision's own reason.
 */
#define HINTS(H)                                                               \
  H(LEADER, ENOENT, ALWAYS, "mount the proc file system on /proc")             \
  H(SECURE, EPERM, ALWAYS, "start it as root, for example with sudo")          \
  H(PRIVILEGE, EPERM, ALWAYS,                                                  \
    "run it as root, for example with sudo; in a unit, "                       \
    "CapabilityBoundingSet= must have it")                                     \
  H(ENTER, EPERM, ALWAYS,                                                      \
    "nsenter needs CAP_SYS_CHROOT, and setns(2) of a mount namespace, which "  \
    "systemd's RestrictNamespaces= refuses; --enter setns needs neither")      \
  H(ENTER, EACCES, ALWAYS,                                                     \
    "nsenter opens the working directory; --enter setns does not")             \
  H(ARGUMENTS, EINVAL, ALWAYS, "no program is named: give one")                \
  H(OPEN_NETNS, ENOENT, DANGLING,                                              \
    "it is a symbolic link that leads nowhere: the process that it led to "    \
    "has ended")                                                               \
  H(OPEN_NETNS, ENOENT, ALWAYS,                                                \
    "'ip netns list' shows the network namespaces that have a name")           \
  H(CHECK_NETNS, EINVAL, PLACEHOLDER,                                          \
    "the name is there, but no network namespace is mounted on it: it was "    \
    "made in another mount namespace, or unmounted since; 'ip netns delete "   \
    "NAME', and add it again")                                                 \
  H(CHECK_NETNS, EINVAL, ALWAYS,                                               \
    "it is a file of another kind: 'ip netns add NAME' makes /run/netns/NAME") \
  H(CHECK_NETNS, EPERM, ALWAYS,                                                \
    "it belongs to another user namespace, in which this process has no "      \
    "privilege (systemd's PrivateUsers=)")                                     \
  H(JOIN_NETNS, EPERM, FILTERED, SECCOMP)                                      \
  H(KEEP, EPERM, FILTERED, SECCOMP)                                            \
  H(KEEP, EAGAIN, ALWAYS, NO_PROCESS)                                          \
  H(KEEP, ENOMEM, ALWAYS, NO_PROCESS)                                          \
  H(KEEP, EPERM, ALWAYS, NO_PROCESS)                                           \
  H(SYS, ENODEV, ALWAYS, "mount a sysfs on /sys first")                        \
  H(SYS, ENOENT, ALWAYS,                                                       \
    "there is no /sys, or something is mounted below it where the network "    \
    "namespace has nothing (on a file of an interface's): unmount that")       \
  H(SYS, EBUSY, ALWAYS,                                                        \
    "two mounts lie in one place below /sys: unmount the upper one")           \
  H(SYS, EINVAL, ALWAYS,                                                       \
    "a mount below /sys is locked to its place, user_namespaces(7): start it " \
    "in the user namespace in which that was mounted")                         \
  H(SYS, ENOSPC, ALWAYS, MOUNT_LIMITS)                                         \
  H(OWN_DNS, ENOSPC, ALWAYS, MOUNT_LIMITS)                                     \
  H(DECIDE, EINVAL, ALWAYS,                                                    \
    "--own-dns pins nothing: it needs a keeper, so Linux 5.15")                \
  H(OWN_DNS, EPERM, ALWAYS,                                                    \
    "it needs CAP_SYS_CHROOT, and calls that a seccomp filter can refuse: "    \
    "unshare, setns, mount, open_tree (systemd's RestrictNamespaces= and "     \
    "SystemCallFilter=)")                                                      \
  H(OWN_DNS, EINVAL, ALWAYS, NSSWITCH_FILE)                                    \
  H(OWN_DNS, EFBIG, ALWAYS, NSSWITCH_FILE)                                     \
  H(OWN_DNS, ENOENT, ALWAYS,                                                   \
    "it is a symbolic link that leads nowhere: remove it, or make what it "    \
    "leads to")                                                                \
  H(OWN_DNS, EACCES, ALWAYS, UNSAFE_LINK)                                      \
  H(FIND_COMMAND, ENOENT, ALWAYS,                                              \
    "install util-linux; --enter setns needs no nsenter")                      \
  H(FIND, EACCES, ALWAYS,                                                      \
    "it may not be executed: look at its mode, and at the way to it")          \
  H(FIND, ENOENT, SCRIPT,                                                      \
    "the file is there: what its first line names, after #!, is not")          \
  H(FIND_RESOLV_CONF, ENOENT, ALWAYS,                                          \
    "create it, name another with --bind FILE:/etc/resolv.conf, or keep the "  \
    "host's with --no-etc")                                                    \
  H(OPEN_SOURCE, EACCES, ALWAYS, UNSAFE_LINK)                                  \
  H(OPEN_SOURCE, ENOENT, ALWAYS,                                               \
    "this is what the program shall see: it must exist")                       \
  H(OPEN_TARGET, EACCES, ALWAYS, UNSAFE_LINK)                                  \
  H(OPEN_TARGET, ENOENT, ENTRY,                                                \
    "each entry of /etc/netns/ID covers its namesake in /etc, which must "     \
    "exist")                                                                   \
  H(OPEN_TARGET, ENOENT, ALWAYS,                                               \
    "only what exists can be covered: create it first")                        \
  H(COMPARE, ENOTDIR, ALWAYS, KINDS)                                           \
  H(COMPARE, EISDIR, ALWAYS, KINDS)                                            \
  H(COMPARE, EBUSY, ALWAYS,                                                    \
    "neither the root directory can be covered, nor /proc")                    \
  H(COMPARE, EEXIST, ALWAYS,                                                   \
    "another cover is on it, or within it, or around it")                      \
  H(CLONE, EINVAL, ALWAYS, NO_PATH)                                            \
  H(BIND, EINVAL, ALWAYS, NO_PATH)                                             \
  H(LOCK, EACCES, ALWAYS,                                                      \
    "only root can open it; --method rejoin and overlay do without")           \
  H(UNSHARE, ENOSPC, ALWAYS, MOUNT_NAMESPACES)                                 \
  H(CLONE, ENOSPC, ALWAYS, MOUNT_NAMESPACES)                                   \
  H(OVERLAY, EBUSY, ALWAYS,                                                    \
    "something is mounted in there, which an overlay would hide")              \
  H(OVERLAY, ENODEV, ALWAYS,                                                   \
    "the kernel has no overlay file system: modprobe overlay")                 \
  H(OVERLAY, EINVAL, ALWAYS,                                                   \
    "an overlay cannot lie on two others: --method rejoin or pin")             \
  H(BIND_BELOW, ENOENT, ALWAYS,                                                \
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
  H(SELF_BIND, EPERM, FILTERED, SECCOMP)                                       \
  H(SELF_BIND, EPERM, ALWAYS,                                                  \
    "without CAP_SYS_CHROOT a launch that fails could not take it away again") \
  H(SELF_BIND, ENOSPC, ALWAYS, MOUNT_MAX)                                      \
  H(BIND_BELOW, ENOSPC, ALWAYS, MOUNT_MAX)                                     \
  H(BIND, ENOSPC, ALWAYS, MOUNT_MAX)                                           \
  H(ANY, EMFILE, ALWAYS,                                                       \
    "raise the limit of open files: ulimit -n, LimitNOFILE= in a unit")        \
  H(ANY, EPERM, FILTERED, SECCOMP)                                             \
  H(ANY, ENOSYS, FILTERED, SECCOMP)                                            \
  H(OWN_DNS, ENOSYS, ALWAYS, LINUX_5_2)                                        \
  H(SYS, ENOSYS, ALWAYS, LINUX_5_2)                                            \
  H(SYS, EPERM, ALWAYS,                                                        \
    "in a user namespace there can be a new sysfs only where nothing hides a " \
    "part of the one that is there, as a container's mounts do")               \
  H(ANY, ESTALE, ALWAYS,                                                       \
    "it changed meanwhile, 50 times over, and nothing was started: try again")
/* Those that only a launcher meets; NO_NETNS: no argument names it. */
#define LAUNCHER_HINTS(H)                                                      \
  H(ARGUMENTS, EINVAL, NO_NETNS, NETNS_ARGUMENT)                               \
  H(OPEN_NETNS, EINVAL, ALWAYS, NETNS_ARGUMENT)                                \
  H(OPEN_NETNS, EOPNOTSUPP, ALWAYS,                                            \
    "it has no name, and so no resolv.conf in /etc/netns: bake with --bind "   \
    "FILE:/etc/resolv.conf or --no-etc")
#define NETNS_ARGUMENT                                                         \
  "the first argument names the network namespace: a name under /run/netns, "  \
  "an absolute path, or pid:N"
/* Those that only the command line meets, and no launcher. */
#define COMMAND_HINTS(H)                                                       \
  H(FIND_PIN, EINVAL, ALWAYS,                                                  \
    "what is there is no mount of the file onto itself, as method pin leaves " \
    "it")                                                                      \
  H(FIND_PIN, EBUSY, ALWAYS,                                                   \
    "other mounts lie on it or in it: unmount them first")                     \
  H(CHECK_USE, EBUSY, ALWAYS,                                                  \
    "end it first; with --force the host can replace the file, and it then "   \
    "reads the host's")
/*
 * Of the sequence's own sentences what is the same in each, T(NAME, text), for
 * ffi/report.c: here, so that build/texts.ts codes them too.
 */
#define SENTENCES(T)                                                           \
  T(CANNOT, "nspin: cannot ")                                                  \
  T(HINT, "nspin: hint: ")                                                     \
  T(WARNING, "nspin: warning: ")                                               \
  T(LEFT_OUT, " is left out: there is no ")                                    \
  T(WAITING, "nspin: waiting for the lock on ")                                \
  T(HELD_BY, ", which process ")                                               \
  T(HOLDS, " holds")                                                           \
  T(USED_BY, ", on which process ")                                            \
  T(RELIES, " relies")                                                         \
  T(NO_PEER,                                                                   \
    "nspin: warning: / is no peer of the host's (a private or a slave mount "  \
    "namespace, as of systemd's PrivateTmp= or ProtectSystem=): what the "     \
    "program mounts there does not reach the host")                            \
  T(NO_KEEPER, "nspin: warning: no keeper, as by --no-keep: ")                 \
  T(REFUSED_KEEPER, "a seccomp filter refuses what it needs")                  \
  T(LONE_KEEPER, "it would be process 1 after 'unshare --pid'")
/* What is cloned and not attached yet is in a mount namespace of its own. */
#define MOUNT_NAMESPACES "the limit is the sysctl user.max_mnt_namespaces"
#define MOUNT_MAX "the limit is the sysctl fs.mount-max"
#define MOUNT_LIMITS                                                           \
  "the limits are the sysctls fs.mount-max and user.max_mnt_namespaces"
#define LINUX_5_2 "it needs Linux 5.2"
#define NSSWITCH_FILE                                                          \
  "nsswitch.conf must be a regular file of less than 64 KiB, whose lines can " \
  "be shown again"
#define UNSAFE_LINK                                                            \
  "a symbolic link on the way can be replaced by somebody else than root: "    \
  "name the path that it leads to"
#define NO_PROCESS                                                             \
  "no process can be made (pids.max, RLIMIT_NPROC): --no-keep needs none"
#define KINDS "a file covers a file, a directory covers a directory"
#define NO_PATH                                                                \
  "a pipe, or a file of another mount namespace (as below /proc/PID/root), "   \
  "cannot be bound: copy it first"
#define SECCOMP                                                                \
  "a seccomp filter is at work, and can be what refuses this: systemd's "      \
  "SystemCallFilter= and RestrictNamespaces=, a container's profile"

#endif
