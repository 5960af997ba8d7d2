// A process's mount table, proc_pid_mountinfo(5).
import { closeSync, openSync, readFileSync } from "node:fs";

export interface Mount {
  readonly id: number;
  readonly parent: number;
  /** Of its file system, major:minor. */
  readonly device: string;
  /** Which directory or file of the file system it shows; "//deleted" at its end: that was removed. */
  readonly root: string;
  readonly point: string;
  /** nosuid, ro and so on: of this mount, not of its file system. */
  readonly options: readonly string[];
  /** Of a shared mount. */
  readonly peerGroup: number | undefined;
  readonly isSlave: boolean;
  /** Of its file system: ext4, fuse.sshfs. */
  readonly type: string;
  /** What mount(2) calls its source: a device, or any word. */
  readonly name: string;
}

export function mountTable(process: number | "self" = "self"): Mount[] {
  return parseMountinfo(readFileSync(`/proc/${process}/mountinfo`, "utf8"));
}

export function parseMountinfo(text: string): Mount[] {
  return text.trim().split("\n").map(parseMount);
}

/** One line. */
export function parseMount(line: string): Mount {
  const [id, parent, device = "", root = "", point = "", options = "", ...more] = line.split(" ");
  const tags = more.slice(0, more.indexOf("-"));
  const shared = tags.find((tag) => tag.startsWith("shared:"));
  return {
    id: Number(id),
    parent: Number(parent),
    device,
    root: unescape8(root),
    point: unescape8(point),
    options: options.split(","),
    peerGroup: shared === undefined ? undefined : Number(shared.slice("shared:".length)),
    isSlave: tags.some((tag) => tag.startsWith("master:")),
    type: more[tags.length + 1] ?? "", // behind "-"
    name: unescape8(more[tags.length + 2] ?? ""),
  };
}

/** The mount that holds what path leads to: by its id, since mounts can hide others. */
export function mountOf(path: string, table: readonly Mount[]): Mount {
  const O_PATH = 0o10000000;
  const fd = openSync(path, O_PATH);
  try {
    const id = Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1]);
    const mount = table.find((one) => one.id === id);
    if (mount === undefined) throw new Error(`the mount that holds ${path} is not in /proc/self/mountinfo`);
    return mount;
  } finally {
    closeSync(fd);
  }
}

/** A space or newline in a path is \040 or \012. */
function unescape8(path: string): string {
  if (!path.includes("\\")) return path;
  return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}
