// What of this host, or of what this process is, a launch rests on.
import { readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { propagationNote, tableOfFirst } from "../explain.ts";
import { mountTable } from "../mountinfo.ts";
import { NSFS_MAGIC } from "../netns.ts";
import { pastTheFile } from "../past-the-file.ts";
import { ABSENT, REFUSED } from "../system-error.ts";
import { type Finding, note, ok, problem } from "./finding.ts";
import { start } from "./start.ts";

/** What look says; instead of some errors that. Any other is no answer: it is thrown. */
function unless<Result>(errors: readonly string[], instead: Result, look: () => Result): Result {
  try {
    return look();
  } catch (error) {
    if (errors.includes((error as NodeJS.ErrnoException).code ?? "")) return instead;
    throw error;
  }
}

/** Empty where there is none that may be read, or it is no file: a FIFO would wait for a writer. */
export function textOf(path: string): string {
  return unless([...ABSENT, ...REFUSED], "", () =>
    statSync(path).isFile() ? readFileSync(path, "utf8") : "",
  );
}

/** Through links. */
export function isThere(path: string): boolean {
  return unless(ABSENT, false, () => unless(REFUSED, true, () => statSync(path) !== undefined));
}

/** Of a file as /proc/self/status and /proc/meminfo are. */
export function field(text: string, name: string): string {
  return new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(text)?.[1] ?? "";
}

interface Self {
  /** CAP_SYS_ADMIN */
  readonly mayMount: boolean;
  /** By seccomp(2). */
  readonly isFiltered: boolean;
  readonly lacks: readonly string[];
}

const CAPABILITIES: readonly [number, string][] = [
  [21, "CAP_SYS_ADMIN"],
  [18, "CAP_SYS_CHROOT"],
  [19, "CAP_SYS_PTRACE"],
  [2, "CAP_DAC_READ_SEARCH"],
];

export function self(): Self {
  const status = textOf("/proc/self/status");
  const effective = BigInt(`0x${field(status, "CapEff") || "0"}`);
  const lacks = CAPABILITIES.filter(([bit]) => ((effective >> BigInt(bit)) & 1n) === 0n).map(
    ([, name]) => name,
  );
  return {
    mayMount: !lacks.includes("CAP_SYS_ADMIN"),
    isFiltered: field(status, "Seccomp") === "2",
    lacks,
  };
}

export function examinePrivilege({ mayMount, lacks }: Self): Finding[] {
  const remedy = "run it as root; in a unit CapabilityBoundingSet= has to name it";
  if (!mayMount) return [problem("CAP_SYS_ADMIN is missing: no mount can be made", remedy)];
  const without: Readonly<Record<string, string>> = {
    CAP_SYS_CHROOT: "nsenter cannot enter, and a launch that the host's mounts disturb cannot begin again",
    CAP_SYS_PTRACE: "the keeper cannot tell when the last process of its program has ended",
    CAP_DAC_READ_SEARCH: "the keeper follows no source in a directory that others may not search",
  };
  const missing = lacks.map((name) => note(`${name} is missing: ${without[name]}`, remedy));
  const map = textOf("/proc/self/uid_map"); // which a kernel without CONFIG_USER_NS has not
  const isWhole = map === "" || /^\s*0\s+0\s+4294967295$/m.test(map);
  const inner = note(
    "this is a user namespace: its mounts can be locked to their places, so method auto pins",
    "start it in the first one, as the host's root",
  );
  return [
    ...(missing.length === 0 ? [ok(CAPABILITIES.map(([, name]) => name).join(", "))] : missing),
    ...(isWhole ? [] : [inner]),
  ];
}

const NSENTER = "/usr/bin/nsenter";
const TRY_IT = ["--target", String(process.pid), "--mount", "--root", "--wd", "--", NSENTER, "--version"];

/** By a start of it, in the words of a launch: it enters, and becomes one that tells its version. */
export function examineNsenter(mayEnter: boolean): Finding[] {
  const setns = "--enter setns does without";
  const missing = problem(`${NSENTER} is not there`, `install util-linux; ${setns}`);
  if (!isThere(NSENTER)) return [missing];
  const { failed, stdout } = start([NSENTER, ...(mayEnter ? TRY_IT : ["--version"])]);
  if (failed === undefined)
    return [ok(`${stdout.trim().split("\n")[0]}${mayEnter ? ", which can enter" : ""}`)];
  return [
    note(`${NSENTER} cannot enter as a launch needs it: ${failed}`, `util-linux has one that can; ${setns}`),
  ];
}

export function examinePropagation(): Finding[] {
  const what = propagationNote(mountTable(), tableOfFirst());
  if (what === "") return [ok("/ is shared: mounts propagate both ways")];
  return [
    note(
      what,
      "on a host 'mount --make-rshared /'; in a unit without PrivateTmp=, ProtectSystem= and what else gives it mounts of its own; a container has mounts of its own by design",
    ),
  ];
}

/** Of what the keeper waits for, in docs/keeper.md, what can be switched off. */
export function examineKeeper(): Finding[] {
  const enabled = textOf("/proc/sys/fs/dir-notify-enable").trim();
  if (enabled === "1") return [ok("is told of the names on the way to its files, fcntl(2) F_NOTIFY")];
  return [
    note(
      "it is told of mounts only: a source that is replaced, or a file that was missing, it notices with the next change of the mount table",
      enabled === "" ? "a kernel with CONFIG_DNOTIFY" : "sysctl fs.dir-notify-enable=1",
    ),
  ];
}

/** Of glibc's resolver. */
export function examinePast(): Finding[] {
  const found = pastTheFile([]);
  if (found.length === 0) return [ok("nothing: names go by resolv.conf")];
  return found.map(({ what, remedy }) =>
    note(
      `${what}: it answers for the host whatever resolv.conf says, to programs that ask glibc`,
      `start programs with ${remedy}`,
    ),
  );
}

const NETNS = "/run/netns";
const ETC_NETNS = "/etc/netns";

export function examineNetns(): Finding[] {
  const names = list(NETNS);
  // One that has just gone is none.
  const isNamespace = (name: string) =>
    unless([...ABSENT, ...REFUSED], true, () => statfsSync(`${NETNS}/${name}`).type === NSFS_MAGIC);
  const placeholders = names.filter((name) => !isNamespace(name));
  const withoutFile = list(ETC_NETNS).filter((name) => lacksResolvConf(`${ETC_NETNS}/${name}`));
  const findings = [
    ...placeholders.map((name) =>
      problem(
        `${NETNS}/${name} is a name with no network namespace mounted on it`,
        `'ip netns delete ${name}', and add it again; where something is about to mount it, 'nspin run --wait'`,
      ),
    ),
    ...withoutFile.map((name) =>
      note(
        `${ETC_NETNS}/${name} has no resolv.conf with something in it: 'nspin run --netns ${name}' starts nothing, or what asks 127.0.0.1`,
        `write ${ETC_NETNS}/${name}/resolv.conf, or 'nspin run --wait'`,
      ),
    ),
  ];
  const count = names.length;
  return findings.length > 0 ? findings : [ok(`${count === 0 ? "none" : count} in ${NETNS}`)];
}

/** Not where it cannot be looked at, nor in what is no directory. */
function lacksResolvConf(directory: string): boolean {
  try {
    const status = statSync(`${directory}/resolv.conf`);
    return status.isFile() && status.size === 0;
  } catch (error) {
    return ["ENOENT", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}

function list(directory: string): string[] {
  return unless([...ABSENT, ...REFUSED], [], () => readdirSync(directory).sort());
}

const START = 2560; // MiB of address space, GUARD_LIMITS in ffi/started.h; this process has them

export function examineMemory(): Finding[] {
  const memory = textOf("/proc/meminfo");
  const mebibytes = (name: string) => Math.floor(Number(field(memory, name)) / 1024);
  const launcher = "a launcher of 'nspin bake' needs none of it; or sysctl vm.overcommit_memory=0";
  const left = mebibytes("CommitLimit") - mebibytes("Committed_AS");
  const isStrict = textOf("/proc/sys/vm/overcommit_memory").trim() === "2";
  const counted = `vm.overcommit_memory is 2, so the ${START} MiB of address space that each start takes count as memory: ${left} MiB are left`;
  const strict = !isStrict ? [] : [(left < START ? problem : note)(counted, launcher)];
  const most = Number(textOf("/proc/sys/fs/mount-max") || Number.POSITIVE_INFINITY);
  const mounts = mountTable().length;
  const full = note(
    `${mounts} mounts of ${most} are there: a copy of them, and what a launch adds, may find no room`,
    "sysctl fs.mount-max",
  );
  const found = [...strict, ...(mounts > most * 0.9 ? [full] : [])];
  return found.length > 0
    ? found
    : [
        ok(
          `${mebibytes("MemAvailable")} MiB available, ${mounts} mounts${most === Number.POSITIVE_INFINITY ? "" : ` of ${most}`}`,
        ),
      ];
}
