// Each system call of the keeper fails once, for want of memory, while it covers again and while it
// shows a new source: what it does is done all the same, without anything else happening first.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { $ } from "bun";
import { isAtRest, keepers, keepersOf } from "../kit/keepers.ts";
import { mountinfo } from "../kit/mountinfo.ts";
import { Program } from "../kit/program.ts";
import { Stage } from "../kit/stage.ts";
import { until } from "../kit/until.ts";

afterAll(() => until(async () => keepers().length === 0));

const sh = (script: string) => $`sh -c ${script}`.quiet();

interface Change {
  readonly change: (stage: Stage) => Promise<unknown>;
  /** What the program reads then. */
  readonly text: string;
  /** What strace does to the keeper each time. */
  readonly as?: string;
  /** What does not fail: it is what `as` is about, or the way back, without which a keeper ends. */
  readonly but?: readonly string[];
}
const newSource = ({ source }: Stage) => sh(`echo second > ${source}.new && mv -fT ${source}.new ${source}`);
const changes: Record<string, Change> = {
  "the host replaces the file": {
    change: ({ file }) => sh(`echo new > ${file}.new && mv -fT ${file}.new ${file}`),
    text: "task",
  },
  "the source is replaced": { change: newSource, text: "second" },
  "the source is replaced, before Linux 6.5": {
    change: newSource,
    text: "second",
    as: "move_mount:error=EINVAL:when=1", // MOVE_MOUNT_BENEATH
    but: ["move_mount", "setns", "fchdir", "chroot"],
  },
};

/** When, for who reads of a failure; and then what. */
const STAMPED = /^[\d.]+ /;
/** Not a wait for whatever comes, but one until it tries again: keeper.c, PAUSE. */
const PAUSE = /^ppoll\(\[.*\], 4, \{/;

/** The change, with the keeper traced; the system calls that it makes for it. */
async function traced({ change, text, as }: Change, ...more: readonly string[]): Promise<string[]> {
  const stage = await Stage.make("plain", "launcher");
  const program = new Program(stage.covering("auto"));
  const injections = [as ?? [], more].flat().flatMap((injection) => ["-e", `inject=${injection}`]);
  const trace = `${mkdtempSync("/tmp/nspin-keeper-trace-")}/trace`;
  try {
    await until(async () => isAtRest(keepersOf(program.pid)[0] as number));
    const keeper = keepersOf(program.pid)[0] as number;
    const strace = Bun.spawn(["strace", "-qq", "-ttt", "-o", trace, ...injections, "-p", `${keeper}`]);
    await until(async () => !/^TracerPid:\s*0$/m.test(readFileSync(`/proc/${keeper}/status`, "utf8")));
    await change(stage);
    let seen = "";
    await until(async () => {
      seen = await program.run(`cat ${stage.file}`);
      return seen === text && isAtRest(keeper);
    }).catch(() => {});
    expect(seen).toBe(text);
    expect(isAtRest(keeper)).toBeTrue();
    strace.kill();
    await strace.exited;
    expect(mountinfo()).toBe(stage.before);
    const calls = readFileSync(trace, "utf8").trim().split("\n");
    const plain = calls.map((call) => call.replace(STAMPED, ""));
    expect(plain.filter((call) => PAUSE.test(call)).length).toBeLessThanOrEqual(1); // a second is twice as long
    return plain;
  } catch (error) {
    const calls = await $`tail -n 300 ${trace}`.nothrow().text();
    throw new Error(`the keeper's last calls:\n${calls}`, { cause: error });
  } finally {
    await program.end();
    await $`echo task > ${stage.source}`;
    await stage.end();
  }
}

/** close(2) has closed, whatever it says; what the others say is not looked at. strace 6.1 knows no statmount. */
const without = ["close", "ppoll", "restart_syscall", "clock_gettime", "geteuid", "getpid", "syscall_0x1c9"];

test.each(Object.keys(changes))(
  "%s, and a system call of the keeper fails",
  async (name) => {
    const change = changes[name] as Change;
    const calls = (await traced(change)).map((line) => /^\w+/.exec(line)?.[0] ?? "");
    let failed = 0;
    for (const [i, call] of calls.entries()) {
      if (call === "" || without.includes(call) || change.but?.includes(call)) continue;
      const when = calls.slice(0, i + 1).filter((other) => other === call).length;
      const lines = await traced(change, `${call}:error=ENOMEM:when=${when}`).catch((error) => {
        throw new Error(`where ${call} fails, the ${when}. time`, { cause: error });
      });
      if (lines.some((line) => line.startsWith(`${call}(`) && line.endsWith("(INJECTED)"))) failed++;
    }
    expect(failed).toBeGreaterThan(50);
  },
  120_000,
);
