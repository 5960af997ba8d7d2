// GENERATED from ffi/launch.h by build/contract.ts. Do not edit.

/** struct launch: every field a u64. */
export const LAUNCH_FIELDS = [
  /** bytes of this struct, as the caller knows it */
  "size",
  /** path of the network namespace, or 0 */
  "netns",
  /** 1: join netns in the sequence; 0: the entering command does it */
  "join",
  /** array of struct cover, in the order in which to take them */
  "covers",
  /** entries in covers */
  "cover_count",
  /** words of the entering command, each NUL-terminated, or 0 */
  "enter",
  /** words in enter; an empty word stands for the thread's id */
  "enter_count",
  /** words of /proc/self/cmdline before the program */
  "skip",
  /** path of the lock file that serializes changes to the host */
  "lock",
  /** out: index of the cover that the failed step was about */
  "failed_cover",
] as const;

/** struct cover. */
export const COVER_FIELDS = [
  /** path of what the program shall see */
  "source",
  /** path where it shall see it */
  "target",
] as const;

/** The pinned sequence; step N is STEPS[N - 1]. */
export const STEPS = [
  { name: "CONTRACT", when: "ALWAYS", verb: "read the plan", object: "NONE" },
  { name: "LEADER", when: "ALWAYS", verb: "run on the thread-group leader", object: "NONE" },
  { name: "PRIVILEGE", when: "ALWAYS", verb: "use CAP_SYS_ADMIN", object: "NONE" },
  { name: "INHERIT", when: "ALWAYS", verb: "keep the inherited file descriptors", object: "NONE" },
  { name: "ARGUMENTS", when: "ALWAYS", verb: "read the arguments", object: "NONE" },
  { name: "FIND", when: "ALWAYS", verb: "find", object: "COMMAND" },
  { name: "OPEN_NETNS", when: "NETNS", verb: "open network namespace", object: "NETNS" },
  { name: "CHECK_NETNS", when: "NETNS", verb: "use as a network namespace", object: "NETNS" },
  { name: "OPEN_HOST", when: "COVERS", verb: "open the host's root directory", object: "NONE" },
  { name: "OPEN_SOURCE", when: "COVER", verb: "open", object: "SOURCE" },
  { name: "OPEN_TARGET", when: "COVER", verb: "open", object: "TARGET" },
  { name: "COMPARE", when: "COVER", verb: "lay", object: "BIND" },
  { name: "LOCK", when: "COVERS", verb: "lock", object: "LOCK" },
  { name: "INSPECT", when: "COVER", verb: "look up the mount that holds", object: "TARGET" },
  { name: "SELF_BIND", when: "SHARED", verb: "bind onto itself", object: "TARGET" },
  { name: "PRIVATE", when: "SHARED", verb: "make private the mount on", object: "TARGET" },
  { name: "UNSHARE", when: "COVERS", verb: "unshare the mount namespace", object: "NONE" },
  { name: "BIND", when: "COVER", verb: "bind", object: "BIND" },
  { name: "BIND_PRIVATE", when: "COVER", verb: "make private the bind mount on", object: "TARGET" },
  { name: "VERIFY_HERE", when: "COVER", verb: "verify the bind of", object: "BIND" },
  { name: "VERIFY_HOST", when: "COVER", verb: "verify that the host keeps", object: "TARGET" },
  { name: "JOIN_NETNS", when: "JOIN", verb: "join network namespace", object: "NETNS" },
  { name: "RESTORE", when: "ALWAYS", verb: "restore signals and limits", object: "NONE" },
  { name: "EXECUTE", when: "ALWAYS", verb: "execute", object: "COMMAND" },
] as const;
