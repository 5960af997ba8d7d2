/** Who starts a program that only exits: the rows. */
export const NAMES = {
  exec: "exec alone",
  bare: "unshare(2) and exec",
  same: "a launcher's system calls, in C",
  launcher: "**a launcher of `nspin bake --no-keep`**",
  kept: "**a launcher of `nspin bake`**, with its keeper",
  nsenter: "nsenter: the network namespace only",
  ip: "`ip netns exec`",
  published: "the published program, in Go",
  shell: "a shell: unshare, mount, nsenter",
  bwrap: "bubblewrap: the file only",
  empty: "an empty Bun program, alone",
  setns: "**`nspin run --enter setns --no-keep`**",
  setnsKept: "**`nspin run --enter setns`**, with its keeper",
  run: "**`nspin run --no-keep`**",
  runKept: "**`nspin run`**, with its keeper",
  crun: "crun, by `nspin bundle`",
  runc: "runc, by `nspin bundle`",
  systemd: "`systemd-run`",
} as const;
export type Name = keyof typeof NAMES;
