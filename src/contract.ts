// GENERATED from ffi/launch.h by build/contract.ts. Do not edit.

/** A launcher's file, ffi/launcher/image.h. */
export const IMAGE = { plan: 268435456, magic: "nspin-1", digest: 32 } as const;

/** struct launch: every field a u64. */
export const LAUNCH_FIELDS = [
  /** bytes of this struct, as the caller knows it */
  "size",
  /** path of the network namespace, or 0 */
  "netns",
  /** 1: join netns in the sequence; 0: the entering command does it */
  "join",
  /** directory whose entries cover their namesakes in /etc, or 0 */
  "etc",
  /** array of struct cover, in order; out: with those of etc */
  "covers",
  /** entries in covers; out: with those of etc */
  "cover_count",
  /** the method asked for: one bit, see METHODS */
  "method",
  /** 1: the program cannot write what covers */
  "read_only",
  /** words before those of the command line, each NUL-terminated */
  "words",
  /** words in words */
  "word_count",
  /** 1: the first, and so on, is replaced by the thread's id; or 0 */
  "tid_word",
  /** 1: words are a command that enters, and starts the program */
  "by_command",
  /** words of the command line before the program */
  "skip",
  /** path of the lock file that serializes changes to the host */
  "lock",
  /** out: number of the step that failed, or 0 */
  "failed_step",
  /** out: index of the cover that it was about */
  "failed_cover",
  /** out: why */
  "failed_errno",
] as const;

/** struct cover. */
export const COVER_FIELDS = [
  /** path of what the program shall see */
  "source",
  /** path where it shall see it; a symbolic link is covered itself */
  "target",
  /** 1: an entry of etc, with its namesake */
  "is_entry",
  /** in: 0, or the decision already told; out: the one taken */
  "decision",
  /** out: the first cover whose target the same mount holds */
  "holder",
] as const;

/** The pinned sequence; step N is STEPS[N - 1]. */
export const STEPS = [
  { name: "CONTRACT", when: "ALWAYS", verb: "read the plan", object: "NONE" },
  { name: "LEADER", when: "ALWAYS", verb: "run on the thread-group leader", object: "NONE" },
  { name: "SECURE", when: "ALWAYS", verb: "run setuid, setgid or with file capabilities", object: "NONE" },
  { name: "DIRECTORY", when: "ALWAYS", verb: "return to the working directory", object: "NONE" },
  { name: "PRIVILEGE", when: "ALWAYS", verb: "use CAP_SYS_ADMIN", object: "NONE" },
  { name: "INHERIT", when: "ALWAYS", verb: "keep the inherited file descriptors", object: "NONE" },
  { name: "ARGUMENTS", when: "ALWAYS", verb: "put together the arguments", object: "NONE" },
  { name: "FIND", when: "ALWAYS", verb: "find", object: "COMMAND" },
  { name: "OPEN_NETNS", when: "NETNS", verb: "open network namespace", object: "NETNS" },
  { name: "CHECK_NETNS", when: "NETNS", verb: "use as a network namespace", object: "NETNS" },
  { name: "LIST", when: "ETC", verb: "list", object: "ETC" },
  { name: "FIND_RESOLV_CONF", when: "ETC", verb: "find", object: "RESOLV_CONF" },
  { name: "OPEN_HOST", when: "COVERS", verb: "open the host's root directory", object: "NONE" },
  { name: "OPEN_SOURCE", when: "COVER", verb: "open", object: "SOURCE" },
  { name: "OPEN_TARGET", when: "COVER", verb: "open", object: "TARGET" },
  { name: "COMPARE", when: "COVER", verb: "lay", object: "BIND" },
  { name: "INSPECT", when: "COVER", verb: "look up the mount that holds", object: "TARGET" },
  { name: "DECIDE", when: "COVER", verb: "use method", object: "METHOD" },
  { name: "LOCK", when: "PINS", verb: "lock", object: "LOCK" },
  { name: "SELF_BIND", when: "PIN", verb: "bind onto itself", object: "TARGET" },
  { name: "PRIVATE", when: "PIN", verb: "make private the mount on", object: "TARGET" },
  { name: "UNSHARE", when: "COVERS", verb: "unshare the mount namespace", object: "NONE" },
  { name: "LEAVE", when: "HOLDER", verb: "make a slave of the mount that holds", object: "TARGET" },
  { name: "OPEN_SHOWN", when: "EVERY", verb: "open for the program", object: "SOURCE" },
  { name: "OVERLAY", when: "OVERLAY", verb: "lay an overlay on the directory of", object: "TARGET" },
  { name: "BIND", when: "COVER", verb: "bind", object: "BIND" },
  { name: "BIND_PRIVATE", when: "COVER", verb: "make private the bind mount on", object: "TARGET" },
  { name: "READ_ONLY", when: "READ_ONLY", verb: "make read-only the bind mount on", object: "TARGET" },
  { name: "VERIFY_HERE", when: "EVERY", verb: "verify the bind of", object: "BIND" },
  { name: "REJOIN", when: "HOLDER", verb: "rejoin the peer group of the mount that holds", object: "TARGET" },
  { name: "VERIFY_HOST", when: "COVER", verb: "verify that the host keeps", object: "TARGET" },
  { name: "JOIN_NETNS", when: "JOIN", verb: "join network namespace", object: "NETNS" },
  { name: "RESTORE", when: "ALWAYS", verb: "restore signals and limits", object: "NONE" },
  { name: "EXECUTE", when: "ALWAYS", verb: "execute", object: "COMMAND" },
  { name: "FIND_PIN", when: "UNPIN", verb: "find a mount of method pin on", object: "TARGET" },
  { name: "UNPIN", when: "UNPIN", verb: "unmount", object: "TARGET" },
] as const;

/** What --method takes; the bit stands for it in struct launch. */
export const METHODS = {
  auto: 1,
  pin: 2,
  rejoin: 4,
  overlay: 8,
} as const;

/** How a target is covered, the first row that fits; decision N is DECISIONS[N - 1]. */
export const DECISIONS = [
  { name: "PINNED", asked: ["auto","pin","rejoin"], when: "ON_ITSELF", act: "COVER", why: "the host has it bound onto itself: nothing can take its place" },
  { name: "FREE", asked: ["auto","rejoin"], when: "PRIVATE", act: "COVER", why: "the mount that holds it is not shared: what lands on it goes nowhere" },
  { name: "ASKED_PIN", asked: ["pin"], when: "ALWAYS", act: "PIN", why: "as asked" },
  { name: "PLAIN", asked: ["auto"], when: "PLAIN", act: "PIN", why: "it is no symbolic link: a rename over it would take the cover away" },
  { name: "HIDDEN", asked: ["auto"], when: "UNREACHABLE", act: "PIN", why: "the root of the mount that holds it is covered, or outside of this root" },
  { name: "UNASKED", asked: ["auto","rejoin","overlay"], when: "UNPRIVILEGED", act: "UNKNOWN", why: "whether the kernel can rejoin a peer group, it tells root only" },
  { name: "OLD_KERNEL", asked: ["auto"], when: "NO_SET_GROUP", act: "PIN", why: "the kernel cannot rejoin a peer group (Linux 5.15)" },
  { name: "LOCKED", asked: ["auto"], when: "USER_NAMESPACE", act: "PIN", why: "in a user namespace a mount can be locked to its place, and not rejoin" },
  { name: "BROKEN_GRAPH", asked: ["auto"], when: "BAD_GRAPH", act: "PIN", why: "it is held by a slave, and this kernel breaks propagation to those" },
  { name: "LINK", asked: ["auto"], when: "ALWAYS", act: "REJOIN", why: "it is a symbolic link, covered itself: the host may replace its target" },
  { name: "ALONE", asked: ["overlay"], when: "PRIVATE", act: "OVERLAY", why: "as asked; nothing to rejoin" },
  { name: "NO_HOLDER", asked: ["rejoin","overlay"], when: "UNREACHABLE", act: "REFUSE", why: "the root of the mount that holds it is covered, or outside of this root" },
  { name: "NO_REJOIN", asked: ["rejoin","overlay"], when: "NO_SET_GROUP", act: "REFUSE", why: "the kernel cannot rejoin a peer group (Linux 5.15); pin works on any" },
  { name: "BAD_REJOIN", asked: ["rejoin","overlay"], when: "BAD_GRAPH", act: "REFUSE", why: "it is held by a slave, and this kernel breaks propagation to those" },
  { name: "ASKED_REJOIN", asked: ["rejoin"], when: "ALWAYS", act: "REJOIN", why: "as asked" },
  { name: "ASKED_OVERLAY", asked: ["overlay"], when: "ALWAYS", act: "OVERLAY", why: "as asked" },
] as const;

/** When a row fits. */
export const CONDITIONS = {
  ALWAYS: "otherwise",
  ON_ITSELF: "a private mount of the file onto itself is there",
  PRIVATE: "the mount that holds it is not shared",
  PLAIN: "a plain file or a directory",
  UNREACHABLE: "the root of the mount that holds it cannot be opened",
  UNPRIVILEGED: "a dry run without CAP_SYS_ADMIN",
  NO_SET_GROUP: "the kernel does not know MOVE_MOUNT_SET_GROUP",
  USER_NAMESPACE: "it is not the first user namespace, user_namespaces(7)",
  BAD_GRAPH: "that mount is shared and a slave, and the probe finds a bug",
} as const;
