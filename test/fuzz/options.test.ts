// Any words: what readRun and makePlan make of them, and what the binary says. A million cases in all; every run prints NSPIN_FUZZ_SEED,
// which replays it from the environment.
import { expect, spyOn, test } from "bun:test";
import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { type RunOptions, readRun, readWords, runArgs } from "../../src/cli.ts";
import { CANNOT, Refusal } from "../../src/errors.ts";
import { makePlan, RESOLV_CONF } from "../../src/plan.ts";
import { report } from "../../src/report.ts";
import { readSelftest, selftestArgs } from "../../src/selftest-options.ts";
import { NSPIN } from "../method/stage.ts";

const seed = Number(process.env.NSPIN_FUZZ_SEED ?? Date.now() % 2 ** 31);
console.log(`NSPIN_FUZZ_SEED=${seed}`);

const names = Object.keys({ ...runArgs, ...selftestArgs });
const option = fc.constantFrom(...names.flatMap((name) => [`--${name}`, `--${name}`, `--no-${name}`]), "-v");
const value = fc.constantFrom(
  ...[
    "a",
    "pid:1",
    "pid:0",
    ".",
    "..",
    "a/b",
    "a\nb",
    "a\0b",
    "nsenter",
    "setns",
    "pin",
    "auto",
    "true",
    "1",
  ],
  ...["/run/netns/a", "/run/netns/..", "/var/run/netns/a", "/run/netns/a/b", "/proc/1/ns/net", "/"],
  ...[
    "/etc/passwd:/etc/hostname",
    "b:/x",
    "c:/etc/resolv.conf",
    "d:/etc",
    "e:/etc/hosts",
    "f:g",
    ":",
    "a:b:c",
  ],
);
const odd = fc.constantFrom(
  ...[
    "",
    "-",
    "--",
    "=",
    "-=",
    "--=",
    "---",
    "--no-",
    "-vv",
    "--netns=",
    "\n",
    "\x1b[2J",
    "\x9b2J",
    "\0",
    "\ud800",
  ],
  ...[
    "__proto__",
    "--__proto__",
    "--constructor",
    "--toString=a",
    "p",
    "a b",
    "'",
    "é\u2028",
    "x".repeat(5000),
  ],
);
const text = fc.string({ unit: "binary", maxLength: 12 });
const inline = fc.tuple(option, fc.oneof(value, text)).map(([name, value]) => `${name}=${value}`);
const word = fc.oneof(
  { weight: 4, arbitrary: option },
  { weight: 5, arbitrary: value },
  { weight: 2, arbitrary: inline },
  { weight: 1, arbitrary: odd },
  { weight: 1, arbitrary: text },
);
const words = fc.array(word, { maxLength: 9, size: "max" });
/** Such as are accepted more often: options with values of theirs, then anything. */
const likely = fc
  .tuple(
    fc.subarray([
      ["--netns=a"],
      ["--netns", "/run/netns/a"],
      ["--bind", "c:/etc/resolv.conf"],
      ["--bind=b:/x"],
      ["--bind", "d:/etc"],
      ["--no-etc"],
      ["--enter", "setns"],
      ["--method=pin"],
      ["--"],
    ]),
    words,
  )
  .map(([ours, theirs]) => [...ours.flat(), ...theirs]);
const printed: string[] = [];
spyOn(console, "error").mockImplementation((line: string) => void printed.push(line));

/** What the body returns; undefined where it refuses, which is by one line, and one more for a hint. */
function unlessRefused<Value>(body: () => Value): Value | undefined {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    printed.length = 0;
    ok(report(error) === CANNOT);
    ok(isRefusal(printed.map((line) => `${line}\n`).join("")), JSON.stringify(printed));
    return undefined;
  }
}

function isRefusal(stderr: string): boolean {
  return /^nspin: [^\0-\x1f\x7f-\x9f]+\n(nspin: hint: [^\0-\x1f\x7f-\x9f]+\n)?$/.test(stderr);
}

function runs(count: number, body: (words: string[]) => void, some: fc.Arbitrary<string[]> = likely): void {
  fc.assert(fc.property(fc.oneof(words, some), body), { numRuns: count, seed });
}

/** Where the options end, said another way than in cli.ts. */
function end(words: readonly string[]): number {
  const takesNext = /^--(netns|bind|enter|method)$/;
  let at = 0;
  while (at < words.length && /^-./s.test(words[at] as string)) {
    if (words[at] === "--") return at + 1;
    at += takesNext.test(words[at] as string) ? 2 : 1;
  }
  return at;
}

function isAsAsked(options: RunOptions): void {
  const plan = unlessRefused(() => makePlan(options));
  if (plan === undefined) return;
  const { netns, etc, covers } = plan;
  ok((netns === undefined) === (options.netns === undefined));
  ok(netns === undefined || (netns.startsWith("/") && !netns.includes("\0")));
  if (netns !== options.netns)
    ok(/^\/run\/netns\/(?!\.{1,2}$)[^/]+$|^\/proc\/\d+\/ns\/net$/.test(netns ?? ""));

  const targets = covers.map(({ target }) => target);
  ok(new Set(targets).size === targets.length, "one is covered twice");
  deepStrictEqual(
    covers,
    options.bind.map((bind) => ({ ...bind, isEntry: false })),
  );
  const name = /^(?:\/var)?\/run\/netns\/(?!\.{1,2}$)([^/]+)$/.exec(netns ?? "")?.[1];
  ok(etc === (options.etc && name !== undefined ? `/etc/netns/${name}` : undefined));
  if (netns !== undefined && options.etc && etc === undefined)
    ok(targets.includes(RESOLV_CONF) || targets.includes("/etc"));
  const isNsenter = options.enter === "nsenter";
  ok(isNsenter === plan.words.length > 0 && plan.words.every((word) => !String(word).includes("\0")));
  ok((plan.words[plan.tidWord - 1] === "TID") === (isNsenter && (covers.length > 0 || etc !== undefined)));
  deepStrictEqual(plan.program, options.program);
  ok(plan.skip === options.skip && plan.method === options.method && plan.enter === options.enter);
}

let accepted = 0;
test("run: the options end where the program begins, and the plan has all that was asked", () => {
  runs(850_000, (words) => {
    const options = unlessRefused(() => readRun(words));
    if (options === undefined) return;
    accepted++;
    const used = options.skip - 2;
    ok(used === end(words) && used < words.length);
    deepStrictEqual(options.program, words.slice(used));
    // No word of the program has had a part in it.
    const { program, ...ours } = options;
    const { program: other, ...same } = readRun([...words.slice(0, used), "p"]);
    deepStrictEqual(same, ours);
    isAsAsked(options);
  });
  expect(accepted).toBeGreaterThan(50_000);
}, 120_000);

test("selftest, and every table of options", () => {
  runs(149_700, (words) => {
    const read = unlessRefused(() => readWords(selftestArgs, words));
    ok(read === undefined || read.used <= words.length);
    const options = unlessRefused(() => readSelftest(words));
    ok(options === undefined || (options.count >= 1 && (options.jobs ?? 1) >= 1));
  });
}, 120_000);

test("the binary: a plan on stdout, or one line on stderr and 125", () => {
  const statuses = new Set<number>();
  const ours = fc.subarray(["--json", "--no-etc", "--enter=setns", "--method=pin", "-v", "--"]);
  const real = fc.tuple(ours, words).map((both) => ["--bind=/etc/passwd:/etc/group", ...both.flat(), "p"]);
  const body = (words: string[]) => {
    const argv = words.filter((word) => !word.includes("\0"));
    const { exitCode, stdout, stderr } = Bun.spawnSync([NSPIN, "run", "--dry-run", ...argv]);
    statuses.add(exitCode);
    if (exitCode === 0) ok(stdout.length > 0 && stderr.length === 0, stderr.toString());
    else ok(exitCode === CANNOT && stdout.length === 0 && isRefusal(stderr.toString()), stderr.toString());
  };
  runs(300, body, real);
  expect([...statuses].sort()).toEqual([0, CANNOT]);
}, 120_000);
