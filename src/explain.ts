// A plan in words: --dry-run on stdout, --verbose on stderr, and inspect.
import { lstatSync, readdirSync } from "node:fs";
import type { RunOptions } from "./arguments.ts";
import { DECISIONS, STEPS } from "./contract.ts";
import type { Decided } from "./decide.ts";
import type { Step } from "./launch-struct.ts";
import { log } from "./log.ts";
import { type Mount, mountTable } from "./mountinfo.ts";
import { type PastTheFile, pastTheFile } from "./past-the-file.ts";
import type { Cover, Plan } from "./plan.ts";
import { print, printable, printableJson } from "./print.ts";
import { statusOf } from "./system-error.ts";

/** Prints what the sequence would do: in five lines, or step by step. */
export function explain({ plan, leftOut, steps }: Decided, options: RunOptions): void {
  const told = toWords(steps, plan);
  const isKept = told.some(({ name }) => name === "KEEP");
  const isCovering = plan.covers.length > 0;
  const propagation = isCovering ? propagationNote(mountTable(), tableOfFirst()) : "";
  const past = isCovering ? pastTheFile(plan.covers) : [];
  const notes = isCovering ? notesOn(plan, options.dryRun ? leftOut : [], isKept) : [];
  const all = [...(propagation === "" ? [] : [propagation]), ...past.map(pastNote), ...notes];
  if (options.json) {
    print(toJson(plan, { steps: told, notes: all }));
    return;
  }
  const lines = options.steps
    ? [...told.map(({ does }, i) => `${String(i + 1).padStart(2)}. ${does}`), ...all.map(asNote)]
    : [...toSummary(plan, propagation, past), ...notes.map(asNote)];
  for (const line of lines) options.dryRun ? print(printable(line)) : log.info(line);
}

const asNote = (note: string) => `note: ${note}`;

/** What a user asks of a launch, a line each. */
function toSummary(plan: Plan, propagation: string, past: readonly PastTheFile[]): string[] {
  const covers = plan.covers.map(
    (cover) => `${cover.target} with ${cover.source}, method ${methodOf(cover, plan)}: ${whyOf(cover)}`,
  );
  const rows: Record<string, readonly string[]> = {
    "network namespace": [
      `${plan.netns ?? "this one"}${plan.extras.includes("sys") ? ", also on /sys" : ""}`,
    ],
    covered: covers.length === 0 ? ["nothing"] : covers,
    propagation: [propagation === "" ? "of all mounts, both ways" : propagation],
    "asked by socket": past.length === 0 ? ["nothing: names go by resolv.conf"] : past.map(pastNote),
    executed: [commandOf(plan).map(shellQuote).join(" ")],
  };
  const width = Math.max(...Object.keys(rows).map((label) => label.length)) + 1;
  return Object.entries(rows).flatMap(([label, texts]) =>
    texts.map((text, i) => `${(i === 0 ? `${label}:` : "").padEnd(width)} ${text}`),
  );
}

function pastNote({ what, remedy }: PastTheFile): string {
  return `${what}, which answers for the host whatever resolv.conf says; the remedy: ${remedy}`;
}

/** What a launcher's file holds: how each file is covered is found out at its start. */
export function toLines(plan: Plan): string[] {
  const lines = plan.covers.map(({ source, target }) => `bind ${source} over ${target}`);
  if (plan.netns !== undefined) lines.unshift(`join network namespace ${plan.netns}`);
  if (plan.netnsArgument !== undefined)
    lines.unshift("join the network namespace that the first argument names");
  if (plan.netnsArgument === "etc")
    lines.push("bind each entry of its directory in /etc/netns over its namesake in /etc");
  if (plan.etc !== undefined)
    lines.push(`bind each entry of ${plan.etc} over its namesake in /etc`, ...entriesNow(plan.etc));
  if (plan.extras.includes("own-dns")) lines.push("hide what answers for the host by a socket");
  if (plan.extras.includes("sys")) lines.push("lay a sysfs of the network namespace on /sys");
  if (plan.readOnly) lines.push("make read-only what is bound");
  if (plan.method === "auto" && !plan.keep) lines.push("start no keeper");
  return [...lines, `use method ${plan.method}`, `execute ${commandOf(plan).map(shellQuote).join(" ")}`];
}

/** The files that a launcher would cover, if it were started here and now. */
function entriesNow(etc: string): string[] {
  const names = filesIn(etc).filter(
    (name) => lstatSync(`/etc/${name}`, { throwIfNoEntry: false }) !== undefined,
  );
  if (names.length === 0) return ["  on this host, now: none"];
  return names.map((name) => `  on this host, now: /etc/${name}`);
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

interface Told {
  readonly steps: readonly StepInWords[];
  readonly notes: readonly string[];
}

/** How each file is covered is told of a plan that was decided. */
export function toJson(plan: Plan, told: Told | { bakedBy: string | null; arch: string }): string {
  const { netns = null, netnsArgument, etc = null, method, keep, readOnly, extras, enter } = plan;
  const covers = plan.covers.map((cover) => {
    const { source, target, isEntry, isOwn } = cover;
    const from = isOwn ? "--own-dns" : isEntry ? "/etc/netns" : "--bind";
    const decided = "steps" in told ? { method: methodOf(cover, plan), why: whyOf(cover) } : {};
    return { source, target, from, ...decided };
  });
  const command = commandOf(plan);
  const asked = { netns, netnsArgument, etc, covers, method, keep, readOnly, extras, enter, command };
  return printableJson({ ...asked, ...told });
}

/** What holds whatever nspin does, and is easily overlooked. Of what is left out a launch itself warns. */
function notesOn(plan: Plan, leftOut: readonly Cover[], isKept: boolean): string[] {
  const left = leftOut.map(({ source, target }) => `${source} is left out: there is no ${target}`);
  const sys = plan.extras.includes("sys")
    ? "what the host mounts directly on /sys from then on does not reach the program, and the program's does not reach the host; below what is mounted there it does"
    : "";
  return [...left, ...keeperNotes(plan, isKept), ...plan.covers.map(readersNote), sys].filter(
    (note) => note !== "",
  );
}

/** Process 1's; empty where it may not be read (proc(5), hidepid=). */
export function tableOfFirst(): Mount[] {
  try {
    return mountTable(1);
  } catch {
    return [];
  }
}

/** What will not propagate, mount_namespaces(7): "" where / is a peer of process 1's. */
export function propagationNote(own: readonly Mount[], first: readonly Mount[]): string {
  const rootOf = (table: readonly Mount[]) => table.findLast(({ point }) => point === "/");
  const root = rootOf(own);
  const host = rootOf(first);
  if (root === undefined) return "";
  if (root.peerGroup !== undefined)
    return host === undefined || host.peerGroup === root.peerGroup
      ? ""
      : "/ is no peer of the host's: what the program mounts there does not reach the host";
  return root.isSlave
    ? "/ is a slave: mounts from its master reach the program; those that the program makes on / reach no one"
    : "/ is private: mounts made on / by the host do not reach the program, and the program's do not reach the host";
}

/** What becomes of the covers while the program runs: by a keeper, or without one. */
function keeperNotes(plan: Plan, isKept: boolean): string[] {
  if (plan.method !== "auto") return [];
  if (isKept)
    return ["a keeper stays beside the program, and covers again what the host replaces; --no-keep: none"];
  return plan.covers.map((cover) => {
    if (ruleOf(cover)?.act === "PIN")
      return `without a keeper, the host cannot replace ${cover.target} (EBUSY) until 'nspin unpin ${cover.target}'`;
    return isByRename(cover)
      ? `without a keeper, the program reads the host's ${cover.target} once the host replaces it, as NetworkManager, resolvconf and dhclient do`
      : "";
  });
}

/** Does a rename on the host take the cover away? */
function isByRename(cover: Cover): boolean {
  const { act, name } = ruleOf(cover) ?? {};
  return act === "REJOIN" || (act === "COVER" && name !== "PINNED");
}

/** Under a umask of 077 root writes files that a PROGRAM with another user cannot read. */
function readersNote({ source, isOwn }: Cover): string {
  const OTHERS_READ = 0o004;
  if (isOwn) return "";
  const status = statusOf(source);
  if (status === undefined || (status.mode & OTHERS_READ) !== 0) return "";
  return `${source} can be read by its owner and group only: a program that runs as another user cannot`;
}

type Named = (typeof STEPS)[number];

interface StepInWords {
  readonly name: Named["name"];
  readonly does: string;
}

export function toWords(steps: readonly Step[], plan: Plan): StepInWords[] {
  return steps.map(({ number, cover }) => {
    const step = STEPS[number - 1] as Named;
    return { name: step.name, does: `${step.does} ${objectOf(step, plan, plan.covers[cover])}`.trim() };
  });
}

/** "cover" where nothing but the bind is done; "rejoin or pin" where the kernel answers root only. */
function methodOf(cover: Cover, plan: Plan): string {
  const act = ruleOf(cover)?.act.toLowerCase() ?? "unknown";
  if (act !== "unknown") return act;
  return plan.method === "auto" ? "rejoin or pin" : plan.method;
}

function whyOf(cover: Cover): string {
  return ruleOf(cover)?.why ?? "";
}

function ruleOf({ decision = 0 }: Cover) {
  return DECISIONS[decision - 1];
}

/** What a step acts on, in the same words as in an error message of the sequence. */
function objectOf(step: Named, plan: Plan, cover?: Cover): string {
  if (step.name === "EXECUTE") return commandOf(plan).map(shellQuote).join(" ");
  if (step.name === "DECIDE" && cover !== undefined)
    return `${methodOf(cover, plan)} on ${cover.target}: ${whyOf(cover)}`;
  const objects: Record<Named["object"], string | undefined> = {
    NONE: "",
    COMMAND: commandOf(plan)[0],
    PROGRAM: commandOf(plan)[plan.commandWords],
    NETNS: plan.netns,
    ETC: plan.etc,
    RESOLV_CONF: `${plan.etc}/resolv.conf`,
    SOURCE: cover?.source,
    TARGET: cover?.target,
    BIND: `${cover?.source} over ${cover?.target}`,
    METHOD: `${plan.method} on ${cover?.target}`,
    LOCK: plan.lock,
    USED: cover?.target,
  };
  return objects[step.object] ?? "";
}

/** The words that execve gets; TID stands for the thread's id. */
function commandOf(plan: Plan): string[] {
  const words = plan.words.map((word) => (typeof word === "string" ? word : new TextDecoder().decode(word)));
  return [...words, ...plan.program];
}

function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
