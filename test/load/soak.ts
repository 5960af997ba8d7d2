// Launches by the hundred thousand on a host that does not keep still:
// `npm run soak -- [LAUNCHES]`, in a mount namespace of its own whose / is shared.
// Ends by itself, with 1 where a program ran with anything wrong, or anything is left.
//
// A row is one way to launch; one launch in a hundred is killed. What the host does
// meanwhile is what docs/methods.md calls "kept" for that method and that kind of
// file ("kept: the host gets EBUSY" too). So a program with the host's file is always
// a fault of nspin's:
//
// - By rejoin nothing holds the file: the host replaces what the link leads to, not the
//   link or the file itself. By auto it does in some rows: there a program must have its
//   own file again in 200 ms, and in the others at once.
// - By pin the host replaces the file too. It is refused while the pin is there, and so is `nspin unpin` while a program relies on the pin.
//   Now and then no program runs (launches.c): then both can take place, and the next
//   launches find another file, and no pin.
// - `nspin unpin --force` takes away the pin that programs rely on. They keep their
//   file until the host replaces its own, so in the rows with --force it does not.
// - By overlay the host replaces the file, and is never refused. That method refuses
//   to hide mounts in the file's directory (125), so the host mounts elsewhere.
// - Where the host mounts over the mount that holds a second cover's target, a launch
//   finds no target there, and fails with 125, as it must. The others have both.
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { $ } from "bun";
import { lines } from "../kit/lines.ts";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import {
  type Action,
  BIN,
  FILE,
  hasOwnFile,
  ID,
  type Kind,
  makeHost,
  makeKind,
  mountsElsewhere,
  mountsInEtc,
  mountsOverSecond,
  NETNS,
  pointOf,
  replacesFile,
  replacesLink,
  replacesSource,
  replacesWhatItLeadsTo,
  SECOND,
  unpins,
  unpinsByForce,
} from "./restless.ts";

const AT_ONCE = 4 * availableParallelism(); // a program's life is a pause, mostly
const LAUNCHES_PER_RUN = 50;
const LOOK_MS = 5; // at the host's own file
const SHOWN = 8; // messages of a row, the most frequent

const launches = Number(process.argv[2] ?? 1_000_000);
if (!(launches >= 1000)) throw new Error("soak takes a number of launches, 1000 at least");

/** share: percent of the launches by launcher, or of those by run. */
type Row = readonly [
  ...[kind: Kind, method: string, by: "launcher" | "setns" | "nsenter", share: number],
  ...[host: readonly Action[], ...options: string[]],
];

const still = [mountsInEtc, replacesSource];
const link = [...still, replacesWhatItLeadsTo];
const pinnedLink = [...link, replacesLink, unpins];
/** By auto a keeper covers again: a program looks again, for 200 ms, before it says that it is wrong. */
const keptLink = [...link, replacesLink];
const keptFile = [...still, replacesFile];
const beside = [mountsElsewhere, replacesSource];
const second = ["--bind", `${SECOND.source}:${SECOND.target}`];
const rows: readonly Row[] = [
  ["link", "auto", "launcher", 20, link],
  ["link", "auto", "launcher", 10, [...link, unpinsByForce]],
  ["link", "auto", "launcher", 5, [...link, mountsOverSecond], ...second],
  ["link", "rejoin", "launcher", 10, link],
  ["link", "pin", "launcher", 10, pinnedLink],
  ["link", "pin", "launcher", 5, [...link, unpinsByForce]],
  ["link", "overlay", "launcher", 10, [...beside, replacesWhatItLeadsTo, replacesLink]],
  ["plain", "auto", "launcher", 5, keptFile],
  ["link", "auto", "launcher", 5, keptLink],
  ["plain", "pin", "launcher", 5, [...still, unpinsByForce]],
  ["plain", "rejoin", "launcher", 5, still],
  ["plain", "overlay", "launcher", 10, [...beside, replacesFile]],
  ["link", "auto", "setns", 25, link],
  ["link", "auto", "nsenter", 25, link],
  ["plain", "auto", "setns", 25, keptFile],
  ["plain", "auto", "nsenter", 25, keptFile],
];

await makeHost();
const before = { mounts: mountTable(), names: names() };
const faults: string[] = [];
const table: Record<string, number | string | undefined>[] = [];
const programs = { launcher: 0, run: 0 }; // that were right, of the rows without a wrong one
for (const row of rows) {
  await soak(row);
  if (mountTable().join() === before.mounts.join()) continue;
  faults.push("the host's mounts are not what they were, and no row after this was run");
  break;
}
const left = names().filter((name) => !before.names.includes(name) && name !== "/run/nspin.lock");
faults.push(...left.map((name) => `left behind: ${name}`));
console.table(table);
for (const [by, right] of Object.entries(programs))
  console.log(`by ${by}, rows without a wrong one: ${right} right; wrong, at 95 %: ${ruleOfThree(right)}`);
for (const fault of faults) console.log(`WRONG: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);

async function soak([kind, method, by, share, host, ...options]: Row): Promise<void> {
  const entry = by === "launcher" ? "launcher" : "run";
  const count = Math.round(((entry === "launcher" ? launches : launches / LAUNCHES_PER_RUN) * share) / 100);
  const words = ["--netns", ID, "--method", method, ...options];
  const pins = host.includes(unpins) ? "unpin" : host.includes(unpinsByForce) ? "unpin --force" : "";
  const name = `${by}, ${kind}, ${words.slice(2).join(" ")}, ${pins || "no pins"}`;
  console.log(`--- ${name}: ${count} launches`);
  makeKind(kind);
  if (entry === "launcher") await $`${NSPIN} bake ${words} -o ${BIN}/launcher`;
  const launch = entry === "launcher" ? [`${BIN}/launcher`] : [NSPIN, "run", ...words, "--enter", by, "--"];
  const isKept = host === keptLink || host === keptFile;
  const driven = [`${count}`, `${AT_ONCE}`, NETNS, ...launch, isKept ? `${BIN}/seen-again` : `${BIN}/seen`];

  const start = Date.now();
  const ends = host.map((begin) => begin());
  let looks = 0;
  let strange = 0;
  const look = setInterval(() => {
    looks++;
    if (!hasOwnFile()) strange++;
  }, LOOK_MS);
  const { counts, messages } = await driver(driven).finally(async () => {
    for (const end of ends) console.log(`the host ${await end()}`);
    clearInterval(look);
    console.log(`the host looked at its own file ${looks} times`);
  });
  const frequent = [...messages].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
  for (const [message, times] of frequent) console.log(`${times} x ${message}`);

  const { right = 0, wrong = 0, odd = 0, hung = 0, left = 0 } = counts;
  const found = await mountsLeft(pins === "" ? 0 : 1);
  if (wrong > 0) found.push(`${wrong} programs`);
  if (odd + hung + left > 0) found.push(`ended oddly ${odd}, did not end ${hung}, processes left ${left}`);
  if (strange > 0) found.push(`the host had not its own file, ${strange} times of ${looks}`);
  if (right < count / 10) found.push("too few programs ran to say anything");
  faults.push(...found.map((what) => `${name}: ${what}`));
  if (wrong === 0) programs[entry] += right;
  table.push({
    by,
    file: kind,
    method: options.length > 0 ? `${method}, two covers` : method,
    "host pins, and": pins,
    launches: count,
    right,
    killed: counts.killed,
    "failed, 125": counts.failed,
    "wrong file": counts.file,
    "wrong netns": counts.netns,
    descriptors: (counts.missing ?? 0) + (counts.spare ?? 0),
    "ended oddly": odd + hung + left,
    "wrong, at 95 %": wrong > 0 ? "-" : ruleOfThree(right),
    s: Math.round((Date.now() - start) / 1000),
  });
}

/** What launches.c counts in the end, and what the launches said, each line with how often. */
async function driver(words: string[]) {
  const child = Bun.spawn([`${BIN}/launches`, ...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const messages = new Map<string, number>();
  const listen = async () => {
    for await (const line of lines(child.stderr)) {
      if (line.startsWith("nspin: hint:")) continue;
      const message = line.replace(/(nameserver .*\.)\d+$/, "$1N");
      messages.set(message, (messages.get(message) ?? 0) + 1);
    }
  };
  const listening = listen();
  let last = "";
  for await (const line of lines(child.stdout)) {
    last = line;
    console.log(line);
  }
  await listening;
  if ((await child.exited) !== 0) throw new Error(`launches ${words.join(" ")}: ${child.exitCode}`);
  const pairs = [...last.matchAll(/(\w+) (\d+)/g)].map(([, outcome = "", times]) => [outcome, Number(times)]);
  return { counts: Object.fromEntries(pairs) as Record<string, number>, messages };
}

/** Of pin's on the file, more than may. Takes all away, by nspin's own means. */
async function mountsLeft(may: number): Promise<string[]> {
  const more = mountTable().filter((line) => !before.mounts.includes(line));
  for (const line of more) await $`${NSPIN} unpin ${pointOf(line)}`.nothrow();
  const pinned = more.filter((line) => pointOf(line) === FILE).slice(0, may);
  return more.filter((line) => !pinned.includes(line)).map((line) => `a mount is left: ${line}`);
}

function names(): string[] {
  return ["/etc", "/run", "/tmp"].flatMap((path) => readdirSync(path).map((name) => `${path}/${name}`));
}

/** Of programs of which none was wrong. */
function ruleOfThree(programs: number): string {
  return programs > 0 ? `< ${Math.ceil(3e6 / programs)} in a million` : "-";
}
