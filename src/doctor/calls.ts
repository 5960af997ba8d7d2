// The calls of a launch, each made for real: in a process of its own, which a seccomp filter may kill, and
// in a mount namespace of that, of which nothing reaches the host.
import { constants as file, mkdirSync, openSync } from "node:fs";
import { constants } from "node:os";
import { loadLibc } from "../libc.ts";
import { print } from "../print.ts";
import { startSelf } from "../self.ts";
import { failureByNumber, hintOf } from "../system-error.ts";
import { type Finding, note, ok, problem } from "./finding.ts";

const [CLONE_NEWNS, CLONE_NEWNET] = [0x20000, 0x40000000];
const [MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE, MS_SHARED] = [0x1000, 0x4000, 0x40000, 0x80000, 0x100000];
const AT_FDCWD = -100;
/** Of Linux 5.2 and later these are the same on every machine. */
const CALL = { open_tree: 428, move_mount: 429, pidfd_open: 434, mount_setattr: 442 };

interface Call {
  readonly name: string;
  /** Where it does not work, this is what does not: else nothing is started. */
  readonly without?: string;
  readonly step: Parameters<typeof hintOf>[0];
  /** The first kernel that has it. */
  readonly since?: string;
  /** The remedy for EPERM, where the sequence has no hint of its own. */
  readonly denied?: string;
}

/** In the order in which the probe makes them: from "mount" on in its own mount namespace, the last leaves it. */
const CALLS = [
  {
    name: "setns(CLONE_NEWNET)",
    step: "JOIN_NETNS",
    denied: "the network namespace is of an outer user namespace: start it there, as the host's root",
  },
  { name: "pidfd_open", step: "KEEP", since: "5.3", without: "no keeper stays beside a program" },
  { name: "unshare(CLONE_NEWNS)", step: "UNSHARE" },
  { name: "mount(MS_SLAVE)", step: "ANY" },
  { name: "mount(MS_BIND)", step: "BIND_BELOW" },
  { name: "open_tree(OPEN_TREE_CLONE)", step: "CLONE", since: "5.2" },
  { name: "move_mount", step: "BIND", since: "5.2" },
  {
    name: "move_mount(MOVE_MOUNT_SET_GROUP)",
    step: "REJOIN",
    since: "5.15",
    without: "method auto pins the host's files: one mount each stays there until 'nspin unpin'",
  },
  {
    name: "mount_setattr",
    step: "READ_ONLY",
    since: "5.12",
    without: "no keeper stays beside a program, and --read-only covers no directory",
  },
  {
    name: "setns(CLONE_NEWNS)",
    step: "ENTER",
    without: "run enters as by --enter setns, and cannot begin again where the host mounts meanwhile",
  },
] as const satisfies Call[];

type Name = (typeof CALLS)[number]["name"];

// --- in the process of its own ---

/** Makes those calls, and says of each its name, and then its errno. Ends where the rest has no ground. */
export function probe(skipped: readonly string[]): void {
  const libc = loadLibc("mount", "unshare", "setns", "syscall");
  const [mounts, netns] = ["mnt", "net"].map((kind) => openSync(`/proc/self/ns/${kind}`, "r"));
  const text = (value: string) => Buffer.from(`${value}\0`);
  const change = (path: string, flags: number) => libc.mount(null, text(path), null, flags, null);
  const ask = (name: Name, call: () => number) => {
    if (skipped.includes(name)) return -1;
    say(name);
    const result = call();
    say(result < 0 ? libc.errno() : 0);
    return result;
  };
  ask("setns(CLONE_NEWNET)", () => libc.setns(netns as number, CLONE_NEWNET));
  ask("pidfd_open", () => Number(libc.syscall(CALL.pidfd_open, process.pid, null, 0, null, 0)));
  if (ask("unshare(CLONE_NEWNS)", () => libc.unshare(CLONE_NEWNS)) < 0) return;
  if (ask("mount(MS_SLAVE)", () => change("/", MS_REC | MS_SLAVE)) < 0) return;
  // /proc is there wherever this program runs, and nothing of it is needed below.
  if (libc.mount(text("nspin"), text("/proc"), text("tmpfs"), 0, null) < 0) return;
  for (const name of ["a", "b", "c"]) mkdirSync(`/proc/${name}`);
  const bound = ask("mount(MS_BIND)", () =>
    libc.mount(text("/proc/a"), text("/proc/b"), null, MS_BIND, null),
  );
  const [OPEN_TREE_CLONE, FROM_EMPTY, TO_EMPTY, SET_GROUP] = [1, 0x4, 0x40, 0x100];
  const tree = ask("open_tree(OPEN_TREE_CLONE)", () =>
    Number(libc.syscall(CALL.open_tree, AT_FDCWD, text("/proc/a"), OPEN_TREE_CLONE, null, 0)),
  );
  const move = (from: number, path: string, to: number, flags: number) =>
    Number(libc.syscall(CALL.move_mount, from, text(path), to, text(""), flags));
  const open = (path: string) => openSync(path, file.O_RDONLY | file.O_DIRECTORY);
  const attached = ask("move_mount", () => move(tree, "", open("/proc/c"), FROM_EMPTY | TO_EMPTY));
  if (bound >= 0 && attached >= 0) {
    change("/proc/b", MS_SHARED);
    change("/proc/c", MS_PRIVATE);
    const group = FROM_EMPTY | TO_EMPTY | SET_GROUP;
    ask("move_mount(MOVE_MOUNT_SET_GROUP)", () => move(open("/proc/b"), "", open("/proc/c"), group));
  }
  const attributes = new BigUint64Array([1n, 0n, 0n, 0n]); // struct mount_attr: attr_set MOUNT_ATTR_RDONLY
  ask("mount_setattr", () =>
    Number(libc.syscall(CALL.mount_setattr, AT_FDCWD, text("/proc/b"), 0, attributes, 32)),
  );
  ask("setns(CLONE_NEWNS)", () => libc.setns(mounts as number, CLONE_NEWNS));
}

function say(what: string | number): void {
  print(`${what}`);
}

// --- and here ---

/** Of each call that does not do, and one of those that do. */
export async function examineCalls(isFiltered: boolean): Promise<Finding[]> {
  const answers = await askAll();
  const answered = CALLS.filter(({ name }) => answers.get(name) === 0).map(({ name }) => name);
  const failed = CALLS.flatMap((call: Call) => {
    const answer = answers.get(call.name);
    return answer === undefined || answer === 0 ? [] : [findingOf(call, answer, isFiltered)];
  });
  const left = CALLS.filter(({ name }) => !answers.has(name)).map(({ name }) => name);
  return [
    ...(answered.length > 0 ? [ok(`done by this kernel: ${answered.join(", ")}`)] : []),
    ...failed,
    ...(left.length > 0 ? [note(`not asked, as they need what does not work: ${left.join(", ")}`)] : []),
  ];
}

const KILLED = "killed";
type Answer = number | typeof KILLED;

/** Goes on, in another process, where a filter has killed the one that asked. */
async function askAll(): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  for (;;) {
    const child = startSelf(["probe", "--", ...answers.keys()], { stdin: "ignore", stdout: "pipe" });
    const lines = (await child.stdout.text()).trim().split("\n");
    for (let i = 0; i + 1 < lines.length; i += 2) answers.set(lines[i] as string, Number(lines[i + 1]));
    await child.exited;
    if (child.signalCode !== "SIGSYS" || lines.length % 2 === 0) return answers;
    answers.set(lines.at(-1) as string, KILLED);
  }
}

function findingOf(
  { name, step, since, without, denied }: Call,
  answer: Answer,
  isFiltered: boolean,
): Finding {
  const tell = without === undefined ? problem : note;
  const effect = without === undefined ? "" : `: ${without}`;
  if (answer === KILLED)
    return problem(
      `${name}: a seccomp filter kills who calls it`,
      `allow it: in a unit SystemCallFilter=@system-service @mount; with SystemCallErrorNumber=EPERM who calls it lives`,
    );
  const { ENOSYS, EINVAL, EPERM } = constants.errno;
  const isUnknown = answer === ENOSYS || (answer === EINVAL && since !== undefined);
  if (isUnknown) return tell(`${name}: this kernel has none${effect}`, `Linux ${since} or later`);
  const error = failureByNumber("call", name, answer);
  const [errorName] = Object.entries(constants.errno).find(([, number]) => number === answer) ?? [];
  const hint =
    answer === EPERM && isFiltered
      ? FILTER
      : (hintOf(step, errorName as Parameters<typeof hintOf>[1]) ?? (answer === EPERM ? denied : undefined));
  // Where a kernel does not know this call, auto pins instead; where a filter refuses it, a launch fails (REFUSED in contract.h).
  const isRefused = answer === EPERM && step === "REJOIN";
  return isRefused ? problem(error.message, hint) : tell(`${error.message}${effect}`, hint);
}

const FILTER =
  "a seccomp filter is at work: in a unit SystemCallFilter=@system-service @mount and RestrictNamespaces=mnt net, in a container --security-opt seccomp=unconfined";
