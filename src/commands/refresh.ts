// nspin refresh: a keeper for programs that have none, which covers again and shows a new source.
import { openSync } from "node:fs";
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { loadLibc } from "../libc.ts";
import { log } from "../log.ts";
import { type CoverSeen, meantBy, OWN_DNS } from "../observe/covers.ts";
import { type Finding, forgotten, lostOfOwnDns, unplanned } from "../observe/findings.ts";
import { isSame, type Program, takeInventory } from "../observe/inventory.ts";
import type { Keeping } from "../observe/keep.ts";
import { print } from "../print.ts";
import { inTime, startSelf } from "../self.ts";
import { attempt, failureByNumber } from "../system-error.ts";
import { type Command, readOptions } from "./command.ts";
import { pidOf, select, toLines } from "./programs.ts";

const args = {} as const satisfies ArgsDef;

export const refresh: Command = {
  meta: {
    name: "refresh",
    description: "Cover again what is not covered any more, and start a keeper for it",
  },
  usage: "[PID|NETNS]...",
  examples: ["nspin refresh", "nspin refresh task1"],
  statuses: {
    0: "it is done, or there was nothing to do",
    1: "of one it could not be done: a line for each finding",
  },
  args,
  async action(words) {
    const { rest } = readOptions(args, v.object({}), words);
    if (process.getuid?.() === 0) lock();
    const lacking = (await select(rest, false)).filter(({ findings }) => findings.some(isMended));
    const isNamed = ({ process }: Program) => rest.some((word) => pidOf(word) === process.pid);
    const kept = lacking.filter((one) => canBeKept(one) && (isNamed(one) || unplanned(one).length === 0));
    for (const program of kept) await keep(program);
    const left = lacking.length === 0 ? [] : await settle(lacking, kept);
    for (const line of left.flatMap(toLines)) print(line);
    return left.length === 0 ? 0 : 1;
  },
};

const LOCK = "/proc/1/ns/mnt";

/**
 * One at a time, or two would each start a keeper: by flock(2) of process 1's mount namespace, which nobody but
 * root can open. Until this process ends.
 */
function lock(): void {
  const LOCK_EX = 2;
  const file = attempt("open", LOCK, undefined, () => openSync(LOCK, "r"));
  const libc = loadLibc("flock");
  if (libc.flock(file, LOCK_EX) < 0) throw failureByNumber("lock", LOCK, libc.errno());
}

function isMended({ kind }: Finding): boolean {
  return kind === "detached" || kind === "source-replaced" || kind === "no-keeper" || kind === "unanswered";
}

/**
 * Not where a keeper is, nor where looking at the program hangs, and not where the program itself has mounted
 * something on its file. Through an overlay a keeper would find another source than the host has. And one that did
 * not know what was lost would look as if all were well.
 */
function canBeKept(program: Program): boolean {
  const { keeper, seen, covers } = program;
  const isOpen = !covers.some(({ isHidden, method }) => isHidden || method === "overlay");
  return keeper === undefined && seen !== null && isOpen && forgotten(program).length === 0;
}

const PATIENCE = 10_000; // milliseconds
const FILTER_KILLS =
  "a seccomp filter kills who makes a call that it refuses (systemd's SystemCallFilter=, a container's profile): run it without one";

/** What covers is kept as it is: nothing tells where it came from. */
const NOT_FOLLOWED = "";

/** By its process id somebody has said that it shall read what is unplanned, too. */
async function keep(program: Program): Promise<void> {
  const { process: one, covers } = program;
  const sourceOf = (cover: CoverSeen) =>
    cover.source === OWN_DNS ? OWN_DNS : (meantBy(cover) ?? NOT_FOLLOWED);
  const shown = covers.map((cover) => ({ source: sourceOf(cover), target: cover.target }));
  const more = [...lostOfOwnDns(program), ...unplanned(program)].map(({ source, target }) => ({
    source,
    target,
  }));
  const keeping: Keeping = {
    process: one,
    covers: [...shown, ...more],
    isReadOnly: covers.some(({ isReadOnly }) => isReadOnly),
  };
  const child = startSelf(["keep"], { stdin: Buffer.from(JSON.stringify(keeping)), stdout: "ignore" });
  if ((await inTime(child.exited, PATIENCE)) === undefined)
    log.error(`process ${one.pid}: no keeper is there after ${PATIENCE / 1000} s: a file system hangs`);
  else if (child.signalCode !== null) {
    log.error(`process ${one.pid}: no keeper is there: what starts it was ended by ${child.signalCode}`);
    if (child.signalCode === "SIGSYS") log.error(`hint: ${FILTER_KILLS}`);
  }
  child.kill("SIGKILL");
  child.unref();
}

const SETTLED = 5000; // milliseconds, until a keeper has looked for the first time, on a machine that has no time

/** What is left to be mended; who has a keeper now is given the time to be covered. */
async function settle(lacking: readonly Program[], kept: readonly Program[]): Promise<Program[]> {
  const end = Date.now() + SETTLED;
  const isUnderWay = (program: Program) =>
    program.keeper !== undefined &&
    kept.some((one) => isSame(one, program)) &&
    program.findings.some(({ kind }) => kind === "detached");
  for (;;) {
    await Bun.sleep(50);
    const { programs } = await takeInventory(false);
    const left = programs
      .filter((program) => lacking.some((one) => isSame(one, program)))
      .map((program) => ({ ...program, findings: program.findings.filter(isMended) }))
      .filter(({ findings }) => findings.length > 0);
    if (!left.some(isUnderWay) || Date.now() > end) return left;
  }
}
