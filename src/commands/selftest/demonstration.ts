// The published demonstration, on this host: each run binds WORLD over HELLO in
// a new mount namespace and copies HELLO there. The copy must be WORLD, and
// HELLO on the host must still be HELLO.
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isatty } from "node:tty";
import { SingleBar } from "cli-progress";
import { Refusal } from "../../errors.ts";
import { mountTable } from "../../mountinfo.ts";
import { print } from "../../print.ts";
import { SELF } from "../../self.ts";
import { failureByNumber } from "../../system-error.ts";

export interface SelftestOptions {
  readonly count: number;
  /** How many at a time; undefined: twice the number of processors. */
  readonly jobs?: number | undefined;
  readonly workDir: string;
  /** Each step on whichever thread is free. */
  readonly unpinned: boolean;
}

interface Outcome {
  /** What went wrong; undefined where nothing did. */
  readonly failure?: string;
  /** Of an unpinned run: which thread took which step, and where that left it. */
  readonly trace?: readonly { step: string; thread: number; mounts: number }[];
}

type Run = (index: number) => Promise<Outcome>;

const HELLO = "HELLO\n";
const WORLD = "WORLD\n";

/** Returns the exit status: 0 where every run passed, else 1. Throws Refusal where none can start. */
export async function demonstrate(options: SelftestOptions): Promise<number> {
  const directory = await workDirectory(options.workDir);
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const run = options.unpinned ? unpinned(directory) : await pinned(directory);
    const outcomes = await all(options, run, () => interrupted);
    return summarize(outcomes, options.count);
  } finally {
    await unmountBelow(directory);
    await rm(directory, { recursive: true });
  }
}

async function workDirectory(parent: string): Promise<string> {
  try {
    return await realpath(await mkdtemp(join(parent, "nspin-selftest-")));
  } catch (error) {
    const { errno = 0 } = error as NodeJS.ErrnoException;
    throw failureByNumber("make a directory in", parent, Math.abs(errno), "name another with --work-dir");
  }
}

async function pinned(directory: string): Promise<Run> {
  const { hello, world } = await files(directory);
  const run = async (index: number): Promise<Outcome & { status: number }> => {
    const copy = join(directory, `COPY.${index}`);
    const words = ["run", "--bind", `${escaped(world)}:${escaped(hello)}`, "--", "cp", hello, copy];
    const { status, stderr } = await start(words);
    if (status !== 0) return { status, failure: stderr.trim() };
    return { status, ...(await compare(hello, copy)) };
  };
  const { status, failure = "" } = await run(-1); // what stops one stops all: it is reported once
  if (status !== 0) throw noRun(failure);
  return run;
}

/** In the words of the one that was tried. */
function noRun(stderr: string): Refusal {
  const lines = stderr.split("\n").map((line) => line.replace(/^nspin: /, ""));
  const isHint = (line: string) => line.startsWith("hint: ");
  const said = lines.filter((line) => !isHint(line)).join("; ");
  return new Refusal(`no run can start: ${said}`, lines.find(isHint)?.slice("hint: ".length));
}

/** A path as --bind takes it. */
function escaped(path: string): string {
  return path.replace(/[:\\]/g, "\\$&");
}

/** Each run has a directory of its own: one that goes wrong mounts WORLD over HELLO on the host. */
function unpinned(directory: string): Run {
  return async (index) => {
    const own = join(directory, String(index));
    await mkdir(own);
    const { hello, world } = await files(own);
    const copy = join(own, "COPY");
    const { status, stdout, stderr } = await start(["unpinned", hello, world, copy]);
    const trace = stdout.startsWith("[") ? JSON.parse(stdout) : [];
    if (trace.length === 0) throw noRun(stderr.trim());
    const outcome = status === 0 ? await compare(hello, copy) : { failure: kindOf(stderr) };
    await unmountBelow(own);
    if ((await readFile(hello, "utf8")) !== HELLO) throw new Error("HELLO on the host has changed");
    await rm(own, { recursive: true });
    return { trace, ...outcome };
  };
}

function kindOf(stderr: string): string {
  return /\/proc\/\d+\/ns\/mnt/.test(stderr) ? "nsenter finds no /proc/TID/ns/mnt" : stderr.trim();
}

async function files(directory: string) {
  const hello = join(directory, "HELLO");
  const world = join(directory, "WORLD");
  await writeFile(hello, HELLO);
  await writeFile(world, WORLD);
  return { hello, world };
}

async function start(words: string[]) {
  const child = Bun.spawn([SELF, ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
    detached: true, // from the terminal: a Ctrl-C ends the test, not the runs under way as failures
  });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { status, stdout, stderr };
}

async function compare(hello: string, copy: string): Promise<Outcome> {
  const [seen, kept] = await Promise.all([readFile(copy, "utf8"), readFile(hello, "utf8")]);
  await rm(copy);
  if (seen === WORLD && kept === HELLO) return {};
  return { failure: `content mismatch: the program saw ${seen.trim()}, the host ${kept.trim()}` };
}

async function all(options: SelftestOptions, run: Run, stop: () => boolean): Promise<Outcome[]> {
  // Only on a terminal: elsewhere it would set O_NONBLOCK on a pipe that others write to as well.
  const format = "{bar} {value}/{total}  {failed} failed";
  const bar = isatty(2) ? new SingleBar({ format, noTTYOutput: false }) : undefined;
  const outcomes: Outcome[] = [];
  let next = 0;
  let failed = 0;
  const worker = async () => {
    while (next < options.count && !stop()) {
      const outcome = await run(next++);
      outcomes.push(outcome);
      if (outcome.failure !== undefined) failed++;
      bar?.update(outcomes.length, { failed });
    }
  };
  bar?.start(options.count, 0, { failed });
  try {
    await Promise.all(Array.from({ length: options.jobs ?? availableParallelism() * 2 }, worker));
  } finally {
    bar?.stop();
  }
  return outcomes;
}

function summarize(outcomes: readonly Outcome[], count: number): number {
  const failures = outcomes.filter(({ failure }) => failure !== undefined);
  const kinds = Map.groupBy(failures, ({ failure }) => failure as string);
  for (const [kind, { length, 0: example }] of kinds) {
    print(`${kind}: ${length} ${length === 1 ? "run" : "runs"}${example?.trace ? "; for example" : ""}`);
    if (example?.trace) print(Bun.inspect.table(example.trace, ["step", "thread", "mounts"]).trimEnd());
  }
  const passed = outcomes.length - failures.length;
  print(`PASSED ${passed}\nFAILED ${failures.length}\nTOTAL  ${outcomes.length}`);
  if (outcomes.length < count) print(`interrupted: ${count - outcomes.length} not run`);
  return passed === count ? 0 : 1;
}

/** Unmounts all that is mounted below the directory: method pin's mount, and what the bug left behind. */
async function unmountBelow(directory: string): Promise<void> {
  const points = () =>
    mountTable()
      .map(({ point }) => point)
      .filter((point) => point.startsWith(`${directory}/`));
  for (let mounted = points(); mounted.length > 0; mounted = points()) {
    const { success, stderr } = Bun.spawnSync(["umount", "--lazy", "--", ...new Set(mounted)]);
    const left = points();
    if (!success && left.length >= mounted.length)
      throw new Error(`cannot unmount ${mounted[0]}: ${stderr.toString().trim()}`);
  }
}
