// The mounts that hold and cover /etc/resolv.conf, for docs/methods.md's pictures: each lies on
// the one before it. test/method/cases.ts finds them so, on each kernel; build/pictures.ts draws them.
import type { Method } from "./actions.ts";

export interface Mount {
  readonly at: "/" | "/etc" | "/etc/resolv.conf";
  /** Alike for peers: what is mounted on one of them appears on the others. */
  readonly propagation: "shared" | "private";
  readonly shows: "the host's" | "the task's" | "overlay" | "tmpfs";
}

export interface Trees {
  readonly host: readonly Mount[];
  readonly program: readonly Mount[];
}

const FILE = "/etc/resolv.conf";
const holder: Mount = { at: "/", propagation: "shared", shows: "the host's" };
const alone: Mount = { at: "/", propagation: "private", shows: "the host's" };
const directory: Mount = { at: "/etc", propagation: "shared", shows: "the host's" };
const onItself: Mount = { at: FILE, propagation: "private", shows: "the host's" };
const source: Mount = { at: FILE, propagation: "private", shows: "the task's" };
const overlay: readonly Mount[] = [
  { at: "/etc", propagation: "private", shows: "tmpfs" },
  { at: "/etc", propagation: "private", shows: "overlay" },
  { at: FILE, propagation: "private", shows: "overlay" },
];

export const trees: Readonly<Record<Method, Trees>> = {
  auto: { host: [holder], program: [holder, directory, onItself, source] },
  rejoin: { host: [holder], program: [holder, onItself, source] },
  pin: { host: [holder, onItself], program: [holder, onItself, onItself, source] },
  overlay: { host: [holder], program: [holder, ...overlay, source] },
  cover: { host: [alone], program: [alone, onItself, source] },
};

/** The same of a mount table, proc_pid_mountinfo(5), where `holder` has the place of / and `group` is its peers'. */
export function treeOf(table: string, holder: string, group: string | undefined): Mount[] {
  const rows = table
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const peers = (row: string[]) => row.find((word) => word.startsWith("shared:"));
  const tree: Mount[] = [];
  let on = rows.find((row) => row[4] === holder);
  for (; on !== undefined; on = rows.find((row) => row[1] === (on as string[])[0])) {
    const [, , , root, at] = on as [string, string, string, string, string];
    const type = on[on.indexOf("-") + 1];
    const isTask = root.endsWith("/task.conf"); // also where it is on an overlay: a container's /tmp
    const is = isTask
      ? "the task's"
      : type === "overlay"
        ? "overlay"
        : root === "/" && at !== holder
          ? "tmpfs"
          : "the host's";
    const propagation =
      peers(on) === undefined ? "private" : peers(on) === group ? "shared" : "another group";
    tree.push({ at: at.slice(holder.length) || "/", propagation, shows: is } as Mount);
  }
  return tree;
}
