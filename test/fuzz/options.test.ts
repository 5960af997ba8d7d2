// Any words: what readRun and makePlan make of them, and what the binary says.
// (What is in /etc/netns/ID, C lists: etc-netns.c.) A million cases in all; every run
// prints NSPIN_FUZZ_SEED, which replays it from the environment.
import { expect, spyOn, test } from "bun:test";
import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { type RunOptions, readRun, readWords, runArgs } from "../../src/arguments.ts";
import { readBake } from "../../src/commands/bake.ts";
import { bundle, readBundle } from "../../src/commands/bundle/index.ts";
import { readSelftest, selftest } from "../../src/commands/selftest/index.ts";
import { COVER_FIELDS, EXTRAS, LAUNCH_FIELDS, METHODS, STATUSES } from "../../src/contract.ts";
import { Refusal, Reported } from "../../src/errors.ts";
import { writePlan } from "../../src/launch-struct.ts";
import { makePlan, type Plan, RESOLV_CONF } from "../../src/plan.ts";
import { report } from "../../src/report.ts";
import { NSPIN } from "../kit/nspin.ts";

const seed = Number(process.env.NSPIN_FUZZ_SEED ?? Date.now() % 2 ** 31);
console.log(`NSPIN_FUZZ_SEED=${seed}`);

const { CANNOT, NOT_EXECUTABLE, NOT_FOUND } = STATUSES;
const selftestArgs = selftest.args;
const names = Object.keys({ ...runArgs, ...selftestArgs, ...bundle.args });
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
    ...["u:g", "65534:65534", "net_raw", "kill,chown"],
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
      ["--user", "u:g"],
      ["--caps=kill"],
      ["--sys"],
      ["--own-dns"],
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

/** Where the options end, said another way than in arguments.ts. */
function end(words: readonly string[]): number {
  const takesNext = /^--(netns|bind|enter|user|caps|method)$/;
  let at = 0;
  while (at < words.length && /^-./s.test(words[at] as string)) {
    if (words[at] === "--") return at + 1;
    at += takesNext.test(words[at] as string) ? 2 : 1;
  }
  return at;
}

function isAsAsked(asked: RunOptions): void {
  const { user } = asked;
  const options = user === undefined ? asked : { ...asked, user: { ...user, group: user.group ?? "g" } };
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
  // A directory of entries where the namespace has a name, and only there: C wants a resolv.conf of it.
  const name = /^(?:\/var)?\/run\/netns\/((?!\.{1,2}$)[^/]+)$/s.exec(netns ?? "")?.[1];
  ok(etc === (options.etc && name !== undefined ? `/etc/netns/${name}` : undefined));
  if (netns !== undefined && options.etc && etc === undefined)
    ok(targets.includes(RESOLV_CONF) || targets.includes("/etc"));

  deepStrictEqual(plan.program, options.program);
  deepStrictEqual(plan.extras, options.extras);
  ok(
    plan.skip === options.skip &&
      plan.method === options.method &&
      plan.enter === (user === undefined ? options.enter : "setns"),
  );
  ok(plan.readOnly === options.readOnly);
  const hasMounts = covers.length > 0 || etc !== undefined || options.extras.length > 0;
  const entered = [
    ...(netns === undefined ? [] : ["--net"]),
    ...(hasMounts ? ["--mount", "--root", "--wd"] : []),
  ];
  const nsenter = ["/usr/bin/nsenter", "--target", "TID", ...entered, "--"];
  if (options.user === undefined) {
    deepStrictEqual(plan.words, options.enter === "setns" ? [] : nsenter);
    ok(plan.tidWord === (options.enter === "setns" ? 0 : 3));
  } else {
    const { name, group, caps } = options.user;
    const groups = [...name].every((c) => c >= "0" && c <= "9") ? "--clear-groups" : "--init-groups";
    const [command, ...words] = plan.words;
    const sets = ["inh-caps", "ambient-caps", "bounding-set"].map((set) =>
      caps.reduce((all, cap) => `${all},+${cap}`, `--${set}=-all`),
    );
    ok(command === "/usr/bin/setpriv" && plan.tidWord === 0);
    deepStrictEqual(words, [`--reuid=${name}`, `--regid=${group}`, groups, ...sets, "--"]);
  }
  ok(plan.strict === options.strict && plan.keep === options.keep);
  isLaidOut(plan);
}

/** The block that C reads, read back: every word of the plan is in it, and nothing overlaps. */
function isLaidOut(plan: Plan): void {
  const base = 2 ** 46 + 8;
  const block = Buffer.from(writePlan(plan, () => base).buffer);
  const values = (at: number, names: readonly string[]) =>
    Object.fromEntries(names.map((name, i) => [name, Number(block.readBigUInt64LE(at + i * 8))]));
  const texts: [number, number][] = [];
  const text = (address: number | undefined): string | undefined => {
    if (!address) return undefined;
    const at = address - base;
    const end = block.indexOf(0, at);
    ok(at >= 0 && end >= at);
    texts.push([at, end]);
    return block.toString("utf8", at, end);
  };
  const utf8 = (value: string) => Buffer.from(value).toString();
  const launch = values(0, LAUNCH_FIELDS);
  ok(launch.size === LAUNCH_FIELDS.length * 8 && launch.failed_step === 0);
  ok(
    text(launch.netns) === (plan.netns && utf8(plan.netns)) &&
      text(launch.etc) === (plan.etc && utf8(plan.etc)),
  );
  ok(text(launch.lock) === plan.lock && launch.skip === plan.skip && launch.tid_word === plan.tidWord);
  ok(launch.command_words === plan.commandWords);
  ok(launch.method === METHODS[plan.method] && launch.read_only === Number(plan.readOnly));
  ok(launch.by_command === { setns: plan.commandWords > 0 ? 2 : 0, auto: 1, nsenter: 2 }[plan.enter]);
  ok(launch.strict === Number(plan.strict) && launch.keep === Number(plan.keep) && launch.left_out === 0);
  ok(launch.extras === plan.extras.reduce((bits, name) => bits | EXTRAS[name], 0));
  ok(launch.cover_count === plan.covers.length && launch.word_count === plan.words.length);
  plan.covers.forEach(({ source, target }, i) => {
    const cover = values((launch.covers as number) - base + i * COVER_FIELDS.length * 8, COVER_FIELDS);
    ok(text(cover.source) === utf8(source) && text(cover.target) === utf8(target));
    ok(cover.is_entry === 0 && cover.decision === 0);
  });
  let word = launch.words as number;
  for (const expected of plan.words) {
    ok(text(word) === utf8(String(expected)));
    word += Buffer.byteLength(String(expected)) + 1;
  }
  texts.sort(([a], [b]) => a - b);
  let from = (LAUNCH_FIELDS.length + plan.covers.length * COVER_FIELDS.length) * 8;
  for (const [at, end] of texts) {
    ok(at >= from);
    from = end + 1;
  }
  ok(from <= block.length);
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

test("what C has reported is not reported again, and its status stays", () => {
  for (const status of [125, 126, 127]) {
    printed.length = 0;
    expect(report(new Reported(status))).toBe(status);
    expect(printed).toEqual([]);
  }
});

test("selftest, bake and bundle: options, or a refusal", () => {
  runs(149_700, (words) => {
    const read = unlessRefused(() => readWords(selftestArgs, words));
    ok(read === undefined || read.used <= words.length);
    const options = unlessRefused(() => readSelftest(words));
    ok(options === undefined || (options.count >= 1 && (options.jobs ?? 1) >= 1));
    const baked = unlessRefused(() => readBake(["-o", "file", ...words]));
    ok(
      baked === undefined || (baked.output === "file" && baked.skip >= 4 && !baked.netns?.startsWith("pid:")),
    );
    const bundled = unlessRefused(() => readBundle(["directory", ...words]));
    ok(
      bundled === undefined ||
        (bundled.program.length > 0 && bundled.env.every((one) => /^[^=]+=/.test(one))),
    );
  });
}, 120_000);

test("the binary: a plan on stdout, or one line on stderr and 125", () => {
  const statuses = new Set<number>();
  const ours = fc.subarray(["--json", "--steps", "--no-etc", "--enter=setns", "--method=pin", "-v", "--"]);
  const real = fc.tuple(ours, words).map((both) => ["--bind=/etc/passwd:/etc/group", ...both.flat(), "true"]);
  const body = (words: string[]) => {
    const argv = words.filter((word) => !word.includes("\0"));
    const { exitCode, stdout, stderr } = Bun.spawnSync([NSPIN, "run", "--dry-run", ...argv]);
    statuses.add(exitCode);
    if (exitCode === 0) ok(stdout.length > 0 && stderr.length === 0, stderr.toString());
    else ok(stdout.length === 0 && isRefusal(stderr.toString()), stderr.toString());
    ok([0, CANNOT, NOT_EXECUTABLE, NOT_FOUND].includes(exitCode));
  };
  runs(300, body, real);
  expect([0, CANNOT, NOT_FOUND].filter((status) => !statuses.has(status))).toEqual([]);
}, 120_000);
