// GENERATED from the headers of ffi/ and <linux/capability.h> by build/contract.ts. Do not edit.

/** A launcher's file, ffi/launcher/image.h. */
export const LAUNCHER_FILE = { plan: 268435456, magic: "nspin-1", digest: 32 } as const;

/** struct launch: every field a u64. */
export const LAUNCH_FIELDS = [
  /** bytes of this struct, as the caller knows it */
  "size",
  /** path of the network namespace, or 0 */
  "netns",
  /** directory whose entries cover their namesakes in /etc, or 0 */
  "etc",
  /** array of struct cover, in order; out: with those of etc */
  "covers",
  /** entries in covers; out: with those of etc */
  "cover_count",
  /** the method asked for: one bit, see METHODS */
  "method",
  /** 1: a keeper stays with what method auto covers */
  "keep",
  /** 1: the program cannot write what covers */
  "read_only",
  /** words before those of the command line, each NUL-terminated */
  "words",
  /** words in words */
  "word_count",
  /** 1: the first, and so on, is replaced by the thread's id; or 0 */
  "tid_word",
  /** words are a command that starts it; 1: if it can, 2: it must */
  "by_command",
  /** words of the command line before the program */
  "skip",
  /** path of the lock file that serializes changes to the host */
  "lock",
  /** 1: an entry of etc without a namesake in /etc is an error */
  "strict",
  /** out: how many such entries come behind the covers */
  "left_out",
  /** 1: unpin also what a process relies on */
  "force",
  /** out: of a dry run, the steps: array of step | cover << 32 */
  "steps",
  /** out: entries in steps */
  "step_count",
  /** out: a process that it was about, or 0 */
  "failed_process",
  /** out: number of the step that failed, or 0 */
  "failed_step",
  /** out: index of the cover that it was about */
  "failed_cover",
  /** out: why */
  "failed_errno",
  /** a launcher's first argument names netns; 2: and etc */
  "netns_argument",
  /** how many of words are that command's; the program's follow */
  "command_words",
  /** what few launches ask for, see EXTRAS */
  "extras",
] as const;

/** struct cover. */
export const COVER_FIELDS = [
  /** path of what the program shall see */
  "source",
  /** path where it shall see it; a symbolic link is covered itself */
  "target",
  /** 1: an entry of etc, with its namesake; 2: of --own-dns */
  "is_entry",
  /** out: how it is covered, a row of DECISIONS from 1 */
  "decision",
  /** out: the first cover whose target the same mount holds */
  "holder",
] as const;

/** struct cover's is_entry: of --own-dns. */
export const OF_OWN_DNS = 2;

/** What of a launch its launcher's first argument names, struct launch's netns_argument. */
export const NETNS_ARGUMENTS = { netns: 1, etc: 2 } as const;

/** Where struct record has a pointer, ffi/started.h. */
export const RECORD = { environment: 8, aside: 16 } as const;

/** What aside() can be asked for, ffi/aside.h. */
export const ASIDE_KEEPER = 0;

/** The pinned sequence; step N is STEPS[N - 1]. What it does, as a dry run says it. */
export const STEPS = [
  { name: "CONTRACT", does: "read the plan", object: "NONE" },
  { name: "LEADER", does: "run on the thread-group leader", object: "NONE" },
  { name: "SECURE", does: "check that no file capability, setuid or setgid bit is at work", object: "NONE" },
  { name: "DIRECTORY", does: "return to the working directory", object: "NONE" },
  { name: "PRIVILEGE", does: "use CAP_SYS_ADMIN", object: "NONE" },
  { name: "INHERIT", does: "keep the inherited file descriptors", object: "NONE" },
  { name: "ENTER", does: "check that nsenter can enter", object: "NONE" },
  { name: "ARGUMENTS", does: "put together the arguments", object: "NONE" },
  { name: "OPEN_NETNS", does: "open network namespace", object: "NETNS" },
  { name: "CHECK_NETNS", does: "check that it is a network namespace:", object: "NETNS" },
  { name: "OPEN_HOST", does: "open the host's root directory", object: "NONE" },
  { name: "LIST", does: "list", object: "ETC" },
  { name: "FIND_RESOLV_CONF", does: "find", object: "RESOLV_CONF" },
  { name: "OWN_DNS", does: "make, in memory, what covers", object: "TARGET" },
  { name: "OPEN_SOURCE", does: "open", object: "SOURCE" },
  { name: "OPEN_TARGET", does: "open", object: "TARGET" },
  { name: "COMPARE", does: "compare", object: "BIND" },
  { name: "INSPECT", does: "look up the mount that holds", object: "TARGET" },
  { name: "DECIDE", does: "use method", object: "METHOD" },
  { name: "CLONE", does: "clone", object: "SOURCE" },
  { name: "LOCK", does: "lock", object: "LOCK" },
  { name: "SELF_BIND", does: "bind onto itself", object: "TARGET" },
  { name: "PRIVATE", does: "make private the mount on", object: "TARGET" },
  { name: "UNSHARE", does: "unshare the mount namespace", object: "NONE" },
  { name: "OPEN_HERE", does: "open for the program", object: "TARGET" },
  { name: "LEAVE", does: "make a slave of the mount that holds", object: "TARGET" },
  { name: "WITHIN", does: "bind onto itself, for the program, the directory of", object: "TARGET" },
  { name: "OVERLAY", does: "lay an overlay on the directory of", object: "TARGET" },
  { name: "BIND_BELOW", does: "bind onto itself, for the program,", object: "TARGET" },
  { name: "BIND", does: "bind", object: "BIND" },
  { name: "BIND_PRIVATE", does: "make private the bind mount on", object: "TARGET" },
  { name: "READ_ONLY", does: "make read-only the bind mount on", object: "TARGET" },
  { name: "VERIFY_HERE", does: "verify the bind of", object: "BIND" },
  { name: "REJOIN", does: "rejoin the peer group of the mount that holds", object: "TARGET" },
  { name: "VERIFY_HOST", does: "verify that the host keeps", object: "TARGET" },
  { name: "FIND_COMMAND", does: "find", object: "COMMAND" },
  { name: "FIND", does: "find", object: "PROGRAM" },
  { name: "KEEP", does: "start the keeper", object: "NONE" },
  { name: "JOIN_NETNS", does: "join network namespace", object: "NETNS" },
  { name: "SYS", does: "lay a sysfs of the network namespace on /sys", object: "NONE" },
  { name: "RESTORE", does: "restore signals and limits", object: "NONE" },
  { name: "EXECUTE", does: "execute", object: "COMMAND" },
  { name: "FIND_PIN", does: "find a mount of method pin on", object: "TARGET" },
  { name: "CHECK_USE", does: "unpin", object: "USED" },
  { name: "UNPIN", does: "unmount", object: "TARGET" },
] as const;

/** What --method takes; the bit stands for it in struct launch. */
export const METHODS = {
  auto: 1,
  pin: 2,
  rejoin: 4,
  overlay: 8,
} as const;

/** What few launches ask for, by its option; the bit stands for it in struct launch. */
export const EXTRAS = {
  "sys": 1,
  "own-dns": 2,
} as const;

/** What --own-dns covers, where it is there. */
export const OWN_DNS_TARGETS = [
  "/etc/nsswitch.conf",
  "/run/nscd",
  "/run/systemd/resolve/io.systemd.Resolve",
] as const;

/** How a target is covered, the first row that fits; decision N is DECISIONS[N - 1]. */
export const DECISIONS = [
  { name: "PINNED", asked: ["auto","static","pin","rejoin"], when: "ON_ITSELF", act: "COVER", why: "the host has it bound onto itself: nothing can take its place" },
  { name: "FREE", asked: ["auto","static","rejoin"], when: "PRIVATE", act: "COVER", why: "the mount that holds it is not shared: what lands on it goes nowhere" },
  { name: "FOREIGN", asked: ["auto","static","rejoin"], when: "FOREIGN", act: "COVER", why: "the mounts belong to another user namespace, whose copy here is a slave" },
  { name: "NO_PIN", asked: ["pin"], when: "DIRECTORY", act: "REFUSE", why: "a directory is not pinned: what the host mounts in it later would reach nobody else; rejoin and overlay, Linux 5.15, have no such limit" },
  { name: "PIN_PASSES_ON", asked: ["pin"], when: "PEER", act: "REFUSE", why: "the mount that holds it has a peer in this mount table, which would be pinned too; rejoin and overlay, Linux 5.15, have no such limit" },
  { name: "ASKED_PIN", asked: ["pin"], when: "ALWAYS", act: "PIN", why: "as asked" },
  { name: "PLAIN", asked: ["static"], when: "PLAIN", act: "PIN", why: "it is a plain file: a rename over it would take the cover away" },
  { name: "HIDDEN", asked: ["auto","static"], when: "UNREACHABLE", act: "PIN", why: "the root of the mount that holds it is covered, or outside of this root" },
  { name: "UNASKED", asked: ["auto","static","rejoin","overlay"], when: "UNPRIVILEGED", act: "UNKNOWN", why: "only root can ask the kernel whether it can rejoin a peer group" },
  { name: "REFUSED", asked: ["auto","static","rejoin","overlay"], when: "REFUSED", act: "REFUSE", why: "move_mount(2) is refused, by a seccomp filter for one (systemd's SystemCallFilter=); --method pin does without" },
  { name: "OLD_KERNEL", asked: ["auto","static"], when: "NO_SET_GROUP", act: "PIN", why: "the kernel cannot rejoin a peer group (Linux 5.15)" },
  { name: "LOCKED", asked: ["auto","static"], when: "USER_NAMESPACE", act: "PIN", why: "in a user namespace a mount can be locked to its place, and not rejoin" },
  { name: "BROKEN_GRAPH", asked: ["auto","static"], when: "BAD_GRAPH", act: "PIN", why: "it is held by a slave, and this kernel breaks propagation to those" },
  { name: "KEPT", asked: ["auto"], when: "ALWAYS", act: "REJOIN", why: "nothing of it stays on the host; a keeper covers it again where the host replaces it" },
  { name: "LINK", asked: ["static"], when: "LINK", act: "REJOIN", why: "it is a symbolic link, covered itself: the host may replace its target" },
  { name: "REST", asked: ["static"], when: "ALWAYS", act: "REJOIN", why: "nothing of it stays on the host" },
  { name: "ALONE", asked: ["overlay"], when: "PRIVATE", act: "OVERLAY", why: "as asked; nothing to rejoin" },
  { name: "NO_HOLDER", asked: ["rejoin","overlay"], when: "UNREACHABLE", act: "REFUSE", why: "the root of the mount that holds it is covered, or outside of this root" },
  { name: "NO_REJOIN", asked: ["rejoin","overlay"], when: "NO_SET_GROUP", act: "REFUSE", why: "the kernel cannot rejoin a peer group (Linux 5.15); pin works on any" },
  { name: "BAD_REJOIN", asked: ["rejoin","overlay"], when: "BAD_GRAPH", act: "REFUSE", why: "it is held by a slave, and this kernel breaks propagation to those" },
  { name: "ASKED_REJOIN", asked: ["rejoin"], when: "ALWAYS", act: "REJOIN", why: "as asked" },
  { name: "ABSENT", asked: ["overlay"], when: "ABSENT", act: "OVERLAY", why: "the host has no resolv.conf: in an overlay of its directory there is one" },
  { name: "ASKED_OVERLAY", asked: ["overlay"], when: "ALWAYS", act: "OVERLAY", why: "as asked" },
] as const;

/** When a row fits. */
export const CONDITIONS = {
  ALWAYS: "otherwise",
  ON_ITSELF: "a private mount of the file onto itself is there",
  PRIVATE: "the mount that holds it is not shared",
  FOREIGN: "the mount namespace belongs to another user namespace",
  DIRECTORY: "a directory",
  PEER: "its mount has a peer here that shows the file too",
  PLAIN: "a plain file, no mount itself, on a mount without such a peer",
  UNREACHABLE: "the root of the mount that holds it cannot be opened",
  UNPRIVILEGED: "a dry run without CAP_SYS_ADMIN",
  REFUSED: "move_mount(2) answers EPERM",
  NO_SET_GROUP: "the kernel does not know MOVE_MOUNT_SET_GROUP",
  USER_NAMESPACE: "it is not the first user namespace, user_namespaces(7)",
  BAD_GRAPH: "that mount is shared and a slave, and the probe finds a bug, or cannot be made without CAP_SYS_CHROOT",
  ABSENT: "the host has no resolv.conf, and it or another file beside it",
  LINK: "a symbolic link",
} as const;

/** What an error number says, by its name, as strerror(3) has it. */
export const ERRORS = {
  EPERM: "Operation not permitted",
  EPIPE: "Broken pipe",
  ENOENT: "No such file or directory",
  ESRCH: "No such process",
  EIO: "Input/output error",
  E2BIG: "Argument list too long",
  EBADF: "Bad file descriptor",
  EAGAIN: "Resource temporarily unavailable",
  ENOMEM: "Cannot allocate memory",
  EACCES: "Permission denied",
  EBUSY: "Device or resource busy",
  EEXIST: "File exists",
  EXDEV: "Invalid cross-device link",
  ENODEV: "No such device",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EINVAL: "Invalid argument",
  ENFILE: "Too many open files in system",
  EMFILE: "Too many open files",
  ENOTTY: "Inappropriate ioctl for device",
  ETXTBSY: "Text file busy",
  EFBIG: "File too large",
  ENOSPC: "No space left on device",
  EROFS: "Read-only file system",
  ENAMETOOLONG: "File name too long",
  ENOLCK: "No locks available",
  ENOSYS: "Function not implemented",
  ELOOP: "Too many levels of symbolic links",
  EOPNOTSUPP: "Operation not supported",
  ESTALE: "Stale file handle",
  EDQUOT: "Disk quota exceeded",
  ENOKEY: "Required key not available",
  ENOTEMPTY: "Directory not empty",
} as const;

/** What to say where a step fails and the error alone misleads; the first row that fits. */
export const HINTS = [
  { step: "LEADER", error: "ENOENT", when: "ALWAYS", hint: "mount the proc file system on /proc" },
  { step: "SECURE", error: "EPERM", when: "ALWAYS", hint: "start it as root, for example with sudo" },
  { step: "PRIVILEGE", error: "EPERM", when: "ALWAYS", hint: "run it as root, for example with sudo; in a unit, CapabilityBoundingSet= must have it" },
  { step: "ENTER", error: "EPERM", when: "ALWAYS", hint: "nsenter needs CAP_SYS_CHROOT, and setns(2) of a mount namespace, which systemd's RestrictNamespaces= refuses; --enter setns needs neither" },
  { step: "ENTER", error: "EACCES", when: "ALWAYS", hint: "nsenter opens the working directory; --enter setns does not" },
  { step: "ARGUMENTS", error: "EINVAL", when: "ALWAYS", hint: "no program is named: give one" },
  { step: "OPEN_NETNS", error: "ENOENT", when: "DANGLING", hint: "it is a symbolic link that leads nowhere: the process that it led to has ended" },
  { step: "OPEN_NETNS", error: "ENOENT", when: "ALWAYS", hint: "'ip netns list' shows the network namespaces that have a name" },
  { step: "CHECK_NETNS", error: "EINVAL", when: "PLACEHOLDER", hint: "the name is there, but no network namespace is mounted on it: it was made in another mount namespace, or unmounted since; 'ip netns delete NAME', and add it again" },
  { step: "CHECK_NETNS", error: "EINVAL", when: "ALWAYS", hint: "it is a file of another kind: 'ip netns add NAME' makes /run/netns/NAME" },
  { step: "CHECK_NETNS", error: "EPERM", when: "ALWAYS", hint: "it belongs to another user namespace, in which this process has no privilege (systemd's PrivateUsers=)" },
  { step: "JOIN_NETNS", error: "EPERM", when: "FILTERED", hint: "a seccomp filter is at work, and can be what refuses this: systemd's SystemCallFilter= and RestrictNamespaces=, a container's profile" },
  { step: "KEEP", error: "EPERM", when: "FILTERED", hint: "a seccomp filter is at work, and can be what refuses this: systemd's SystemCallFilter= and RestrictNamespaces=, a container's profile" },
  { step: "KEEP", error: "EAGAIN", when: "ALWAYS", hint: "no process can be made (pids.max, RLIMIT_NPROC): --no-keep needs none" },
  { step: "KEEP", error: "ENOMEM", when: "ALWAYS", hint: "no process can be made (pids.max, RLIMIT_NPROC): --no-keep needs none" },
  { step: "KEEP", error: "EPERM", when: "ALWAYS", hint: "no process can be made (pids.max, RLIMIT_NPROC): --no-keep needs none" },
  { step: "SYS", error: "ENODEV", when: "ALWAYS", hint: "mount a sysfs on /sys first" },
  { step: "SYS", error: "ENOENT", when: "ALWAYS", hint: "there is no /sys, or something is mounted below it where the network namespace has nothing (on a file of an interface's): unmount that" },
  { step: "SYS", error: "EBUSY", when: "ALWAYS", hint: "two mounts lie in one place below /sys: unmount the upper one" },
  { step: "SYS", error: "EINVAL", when: "ALWAYS", hint: "a mount below /sys is locked to its place, user_namespaces(7): start it in the user namespace in which that was mounted" },
  { step: "SYS", error: "ENOSPC", when: "ALWAYS", hint: "the limits are the sysctls fs.mount-max and user.max_mnt_namespaces" },
  { step: "OWN_DNS", error: "ENOSPC", when: "ALWAYS", hint: "the limits are the sysctls fs.mount-max and user.max_mnt_namespaces" },
  { step: "DECIDE", error: "EINVAL", when: "ALWAYS", hint: "--own-dns pins nothing: it needs a keeper, so Linux 5.15" },
  { step: "OWN_DNS", error: "EPERM", when: "ALWAYS", hint: "it needs CAP_SYS_CHROOT, and calls that a seccomp filter can refuse: unshare, setns, mount, open_tree (systemd's RestrictNamespaces= and SystemCallFilter=)" },
  { step: "OWN_DNS", error: "EINVAL", when: "ALWAYS", hint: "nsswitch.conf must be a regular file of less than 64 KiB, whose lines can be shown again" },
  { step: "OWN_DNS", error: "EFBIG", when: "ALWAYS", hint: "nsswitch.conf must be a regular file of less than 64 KiB, whose lines can be shown again" },
  { step: "OWN_DNS", error: "ENOENT", when: "ALWAYS", hint: "it is a symbolic link that leads nowhere: remove it, or make what it leads to" },
  { step: "OWN_DNS", error: "EACCES", when: "ALWAYS", hint: "a symbolic link on the way can be replaced by somebody else than root: name the path that it leads to" },
  { step: "FIND_COMMAND", error: "ENOENT", when: "ALWAYS", hint: "install util-linux; --enter setns needs no nsenter" },
  { step: "FIND", error: "EACCES", when: "ALWAYS", hint: "it may not be executed: look at its mode, and at the way to it" },
  { step: "FIND", error: "ENOENT", when: "SCRIPT", hint: "the file is there: what its first line names, after #!, is not" },
  { step: "FIND_RESOLV_CONF", error: "ENOENT", when: "ALWAYS", hint: "create it, name another with --bind FILE:/etc/resolv.conf, or keep the host's with --no-etc" },
  { step: "OPEN_SOURCE", error: "EACCES", when: "ALWAYS", hint: "a symbolic link on the way can be replaced by somebody else than root: name the path that it leads to" },
  { step: "OPEN_SOURCE", error: "ENOENT", when: "ALWAYS", hint: "this is what the program shall see: it must exist" },
  { step: "OPEN_TARGET", error: "EACCES", when: "ALWAYS", hint: "a symbolic link on the way can be replaced by somebody else than root: name the path that it leads to" },
  { step: "OPEN_TARGET", error: "ENOENT", when: "ENTRY", hint: "each entry of /etc/netns/ID covers its namesake in /etc, which must exist" },
  { step: "OPEN_TARGET", error: "ENOENT", when: "ALWAYS", hint: "only what exists can be covered: create it first" },
  { step: "COMPARE", error: "ENOTDIR", when: "ALWAYS", hint: "a file covers a file, a directory covers a directory" },
  { step: "COMPARE", error: "EISDIR", when: "ALWAYS", hint: "a file covers a file, a directory covers a directory" },
  { step: "COMPARE", error: "EBUSY", when: "ALWAYS", hint: "neither the root directory can be covered, nor /proc" },
  { step: "COMPARE", error: "EEXIST", when: "ALWAYS", hint: "another cover is on it, or within it, or around it" },
  { step: "CLONE", error: "EINVAL", when: "ALWAYS", hint: "a pipe, or a file of another mount namespace (as below /proc/PID/root), cannot be bound: copy it first" },
  { step: "BIND", error: "EINVAL", when: "ALWAYS", hint: "a pipe, or a file of another mount namespace (as below /proc/PID/root), cannot be bound: copy it first" },
  { step: "LOCK", error: "EACCES", when: "ALWAYS", hint: "only root can open it; --method rejoin and overlay do without" },
  { step: "UNSHARE", error: "ENOSPC", when: "ALWAYS", hint: "the limit is the sysctl user.max_mnt_namespaces" },
  { step: "CLONE", error: "ENOSPC", when: "ALWAYS", hint: "the limit is the sysctl user.max_mnt_namespaces" },
  { step: "OVERLAY", error: "EBUSY", when: "ALWAYS", hint: "something is mounted in there, which an overlay would hide" },
  { step: "OVERLAY", error: "ENODEV", when: "ALWAYS", hint: "the kernel has no overlay file system: modprobe overlay" },
  { step: "OVERLAY", error: "EINVAL", when: "ALWAYS", hint: "an overlay cannot lie on two others: --method rejoin or pin" },
  { step: "BIND_BELOW", error: "ENOENT", when: "ALWAYS", hint: "what is mounted there was removed from its own file system, so nothing can lie on it: umount it" },
  { step: "READ_ONLY", error: "ENOSYS", when: "ALWAYS", hint: "of a directory, --read-only needs Linux 5.12" },
  { step: "REJOIN", error: "EINVAL", when: "ALWAYS", hint: "a mount that is locked to its place, user_namespaces(7), cannot rejoin: --method pin" },
  { step: "REJOIN", error: "EAGAIN", when: "ALWAYS", hint: "the host's mount table changed each time, 50 times over: try again" },
  { step: "EXECUTE", error: "E2BIG", when: "ALWAYS", hint: "arguments and environment together are longer than execve(2) takes" },
  { step: "SELF_BIND", error: "EPERM", when: "FILTERED", hint: "a seccomp filter is at work, and can be what refuses this: systemd's SystemCallFilter= and RestrictNamespaces=, a container's profile" },
  { step: "SELF_BIND", error: "EPERM", when: "ALWAYS", hint: "without CAP_SYS_CHROOT a launch that fails could not take it away again" },
  { step: "SELF_BIND", error: "ENOSPC", when: "ALWAYS", hint: "the limit is the sysctl fs.mount-max" },
  { step: "BIND_BELOW", error: "ENOSPC", when: "ALWAYS", hint: "the limit is the sysctl fs.mount-max" },
  { step: "BIND", error: "ENOSPC", when: "ALWAYS", hint: "the limit is the sysctl fs.mount-max" },
  { step: "ANY", error: "EMFILE", when: "ALWAYS", hint: "raise the limit of open files: ulimit -n, LimitNOFILE= in a unit" },
  { step: "ANY", error: "EPERM", when: "FILTERED", hint: "a seccomp filter is at work, and can be what refuses this: systemd's SystemCallFilter= and RestrictNamespaces=, a container's profile" },
  { step: "ANY", error: "ENOSYS", when: "FILTERED", hint: "a seccomp filter is at work, and can be what refuses this: systemd's SystemCallFilter= and RestrictNamespaces=, a container's profile" },
  { step: "OWN_DNS", error: "ENOSYS", when: "ALWAYS", hint: "it needs Linux 5.2" },
  { step: "SYS", error: "ENOSYS", when: "ALWAYS", hint: "it needs Linux 5.2" },
  { step: "SYS", error: "EPERM", when: "ALWAYS", hint: "in a user namespace there can be a new sysfs only where nothing hides a part of the one that is there, as a container's mounts do" },
  { step: "ANY", error: "ESTALE", when: "ALWAYS", hint: "it changed meanwhile, 50 times over, and nothing was started: try again" },
  { step: "FIND_PIN", error: "EINVAL", when: "ALWAYS", hint: "what is there is no mount of the file onto itself, as method pin leaves it" },
  { step: "FIND_PIN", error: "EBUSY", when: "ALWAYS", hint: "other mounts lie on it or in it: unmount them first" },
  { step: "CHECK_USE", error: "EBUSY", when: "ALWAYS", hint: "end it first; with --force the host can replace the file, and it then reads the host's" },
] as const;

/** nspin's own exit statuses. */
export const STATUSES = {
  NOT_IN_TIME: 124,
  CANNOT: 125,
  NOT_EXECUTABLE: 126,
  NOT_FOUND: 127,
} as const;

/** capabilities(7), each by its number. */
export const CAPABILITIES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const;
