// The pages of the binary that a start touches: what the entry guard asks for at once (ffi/guard/start-pages.c).
// Those of Bun's own are listed in build/start-pages/, by its build id: they lie where they lie whatever is
// bundled, and which of them a start touches is not quite the same each time or on each machine, so that a
// list made by each build would make each binary another. What Bun has appended is in it as it is built.
// The build tries the list on the finished binary. `npm run start-pages` makes it anew; for another than
// this machine, `bun build/binary.ts --start-pages --target TARGET`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { $ } from "bun";
import { COMMANDS } from "./bundle.ts";
import { loadsOf, sectionOf } from "./elf.ts";
import { compilerOf, emulatorOf, IS_NATIVE, type Machine, TARGET } from "./target.ts";

/** Of 4 KiB, at which address, and how many; in the order of their first touch. */
type Run = readonly [first: number, count: number];
export interface Pages {
  readonly run: readonly Run[];
  /** What the other commands touch beyond that. */
  readonly others: readonly Run[];
}
export const NO_PAGES: Pages = { run: [], others: [] };

const PAGE = 4096;
const BUNDLE = ".bun"; // where Bun puts what it has bundled, behind its own
/** So many pages that nobody touches are read with the others: a read more costs more than they do. */
const BRIDGE = 2;
/** Of one madvise(2) the kernel reads no more than it would read ahead (128 KiB), or the device's largest request. */
const MOST = 32;
/** What a start touches is not quite the same each time. */
const TIMES = IS_NATIVE ? 5 : 1;
/** So many pages may be missing in the list: each is a read that a start waits for. */
const MISSING: Record<keyof Pages, number> = { run: 40, others: 120 };

/** With a network namespace, and mounts, of its own: it needs no privilege where user namespaces need none. */
const UNSHARED = [
  ...["--mount", "--net", "--pid", "--fork", "--mount-proc"],
  ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
];
/** On a disk that lists what is read of it, build/disk.c; "a" is a network namespace's name. */
const ON_DISK = `set -e
  "$1" "$2" "$3" 0 >"$4" && shift 4
  mount -t tmpfs run /run && mkdir /run/netns && touch /run/netns/a
  mount --bind /proc/self/ns/net /run/netns/a
  env -i PATH="$PATH" "$@"`;
/** How a start is tried: by both modes of run and all that is read in JavaScript, and by other commands. FILE: any file. */
const STARTS: Record<keyof Pages, readonly string[]> = {
  run: [
    "run --netns a --bind FILE:/etc/resolv.conf --enter nsenter -- /bin/true",
    "run --netns a --bind FILE:/etc/resolv.conf --enter setns --no-keep -- /bin/true a",
    "run --netns=pid:1 --bind=FILE:/etc/resolv.conf --enter=setns --read-only /bin/true",
    "run --netns /proc/1/ns/net --no-etc --enter nsenter /bin/true a b c",
  ],
  others: ["--version", "--help", "run --netns a --bind FILE:/etc/resolv.conf --dry-run -- /bin/true"],
};
const KINDS = Object.keys(STARTS) as (keyof Pages)[];

/** Those of the binary: Bun's out of the list, which must be of this Bun, and what Bun has appended. Throws. */
export async function pagesOf(binary: string): Promise<Pages> {
  const file = Buffer.from(await Bun.file(binary).arrayBuffer());
  const list = Bun.file(listFile());
  const lines = (await list.exists()) ? (await list.text()).split("\n") : [];
  if (lines[0] !== heading(file))
    throw new Error(
      `${listFile()} is of another Bun than ${binary}: bun build/binary.ts --start-pages --target ${TARGET}`,
    );
  const runsOf = (command: keyof Pages) =>
    lines
      .filter((line) => line.startsWith(`${command} `))
      .map((line) => line.split(" ").slice(1).map(Number) as [number, number]);
  const { run, others } = await bundleOf(file);
  return { run: [...runsOf("run"), ...run], others: [...runsOf("others"), ...others] };
}

/** For the C compiler. */
export function pagesAsMacros({ run, others }: Pages): string[] {
  const rows = (runs: readonly Run[]) =>
    runs
      .flatMap(asked)
      .map((words) => `{${words}}`)
      .join(",");
  return [`-DRUN_PAGES=${rows(run)}`, `-DOTHER_PAGES=${rows(others)}`];
}

function asked([first, count]: Run): Run[] {
  return Array.from({ length: Math.ceil(count / MOST) }, (_, i) => [
    first + i * MOST,
    Math.min(MOST, count - i * MOST),
  ]);
}

/** Throws where the finished binary's starts touch too much that its list has not. False: it cannot be tried here. */
export async function tryPages(binary: string, { run, others }: Pages): Promise<boolean> {
  const touched = await touchedBy(binary);
  if (touched === undefined) return false;
  const listed: Pages = { run, others: [...run, ...others] };
  for (const kind of KINDS) {
    const isListed = within(listed[kind]);
    const missing = touched[kind].filter((page) => !isListed(page)).length;
    if (missing > MISSING[kind])
      throw new Error(`${STARTS[kind][0]}: ${missing} pages are not in ${listFile()}: npm run start-pages`);
  }
  return true;
}

/** Makes the list. guarded: the same binary with NO_PAGES, else they are all touched. */
export async function findPages(binary: string, guarded: string): Promise<void> {
  const file = Buffer.from(await Bun.file(binary).arrayBuffer());
  const bundle = await bundleOf(file);
  const touched = await touchedBy(guarded, TIMES, { run: bundle.others, others: [] });
  if (touched === undefined) throw new Error("cannot be found here: it takes unshare(2), and /dev/fuse");
  const found = (kind: keyof Pages, isThere: (page: number) => boolean) =>
    runsOf(
      touched[kind].filter((page) => !isThere(page)),
      segmentsOf(file),
    );
  const ofBundle = [...bundle.run, ...bundle.others];
  const run = found("run", within(ofBundle));
  const others = found("others", within([...ofBundle, ...run]));
  const lines = Object.entries({ run, others }).flatMap(([command, runs]) =>
    runs.map((words) => `${command} ${words.join(" ")}\n`),
  );
  await Bun.write(listFile(), `${heading(file)}\n${lines.join("")}`);
}

function within(runs: readonly Run[]): (page: number) => boolean {
  return (page) => runs.some(([first, count]) => page >= first && page < first + count);
}

/** Pages that lie near each other in a segment become one; each at the place of the one that is touched first. */
function runsOf(touched: readonly number[], segments: readonly Segment[]): Run[] {
  const order = new Map(touched.map((page, i) => [page, i]));
  const runs: { first: number; last: number; touch: number }[] = [];
  for (const page of touched.toSorted((a, b) => a - b)) {
    const touch = order.get(page) as number;
    const before = runs.at(-1);
    const isNear = before !== undefined && page - before.last <= BRIDGE + 1;
    if (isNear && segments.some(({ first, last }) => first <= before.last && page <= last)) {
      before.last = page;
      before.touch = Math.min(before.touch, touch);
    } else runs.push({ first: page, last: page, touch });
  }
  // The guard asks of the first page whether all are there: so it must be one that is touched.
  return runs.sort((a, b) => a.touch - b.touch).map(({ first, last }) => [first, last - first + 1]);
}

/**
 * In the order of their first touch, from the guard on and without its own; of each start until it
 * touches one of the end's. Undefined: it cannot be tried here.
 */
async function touchedBy(
  binary: string,
  times = 1,
  end = NO_PAGES,
): Promise<Record<keyof Pages, number[]> | undefined> {
  const file = Buffer.from(await Bun.file(binary).arrayBuffer());
  const segments = segmentsOf(file);
  const guard = segments.pop() as Segment;
  const own = mkdtempSync(join(tmpdir(), "nspin-pages-"));
  const at = (name: string) => join(own, name);
  const [disk, place, other, log] = [at("disk"), at("place"), at("file"), at("log")];
  const emulator = IS_NATIVE ? [] : emulatorOf(TARGET, { x64: "max", arm64: "max" });
  const start = (words: readonly string[]) =>
    $`unshare ${UNSHARED} sh -c ${ON_DISK} sh ${[disk, resolve(binary), place, log]} ${words}`
      .quiet()
      .nothrow();
  const touchedOnce = async (command: string, isEnd: (page: number) => boolean) => {
    const words = command.replace("FILE", other).split(" ");
    const { exitCode, stderr } = await start([...emulator, place, ...words]);
    if (exitCode !== 0 && IS_NATIVE) throw new Error(`${command}: status ${exitCode}: ${stderr}`);
    const offsets = (await Bun.file(log).text())
      .trim()
      .split("\n")
      .map((line) => Number(line.split(" ")[0]));
    const begin = offsets.findIndex((offset) => offset >= guard.offset);
    if (begin < 0) throw new Error(`${command}: the guard did not run: ${stderr}`);
    const pages = offsets.slice(begin).flatMap((offset) => pageAt(segments, offset) ?? []);
    // Emulated, a launch fails in the end, and says so by the other commands' code.
    const ended = pages.findIndex(isEnd);
    return ended < 0 ? pages : pages.slice(0, ended);
  };
  try {
    await $`${compilerOf(process.arch as Machine)} -O2 -pthread build/disk.c -o ${disk} && touch ${place} ${other}`;
    if ((await start(["true"])).exitCode !== 0) return undefined;
    const touched = { run: new Set<number>(), others: new Set<number>() };
    for (const kind of KINDS)
      for (let time = 0; time < times; time++)
        for (const command of STARTS[kind])
          for (const page of await touchedOnce(command, within(end[kind]))) touched[kind].add(page);
    return { run: [...touched.run], others: [...touched.others] };
  } finally {
    rmSync(own, { recursive: true });
  }
}

/** At that offset of the file. */
function pageAt(segments: readonly Segment[], offset: number): number | undefined {
  const pages = segments.map((one) => ({ ...one, page: one.first + (offset - one.offset) / PAGE }));
  return pages.findLast(({ first, last, page }) => page >= first && page <= last)?.page;
}

interface Segment {
  readonly offset: number;
  readonly first: number;
  readonly last: number;
}

/** In pages, the guard's last. */
function segmentsOf(file: Buffer): Segment[] {
  return loadsOf(file).map(({ offset, vaddr, filesz }) => ({
    offset: offset - (offset % PAGE),
    first: Math.floor(vaddr / PAGE),
    last: Math.floor((vaddr + filesz - 1) / PAGE),
  }));
}

/** What Bun has appended: the launch path, a table of files at the end, and between them the other commands (src/main.ts). */
async function bundleOf(file: Buffer): Promise<Pages> {
  const { vaddr, offset, size } = sectionOf(file, BUNDLE);
  const text = await Bun.file(COMMANDS.bundle).bytes();
  const at = file.indexOf(text, offset);
  if (at < 0) throw new Error(`${COMMANDS.bundle} is not in the binary`);
  const pageOf = (place: number) => (vaddr + place - offset) / PAGE;
  const [first, end] = [Math.floor(pageOf(offset)), Math.ceil(pageOf(offset + size))];
  const [commands, rest] = [Math.ceil(pageOf(at)), Math.floor(pageOf(at + text.length))]; // theirs alone
  return {
    run: [
      [first, commands - first],
      [rest, end - rest],
    ],
    others: [[commands, rest - commands]],
  };
}

/** By which a list and a binary are of the same Bun. */
function heading(file: Buffer): string {
  const { offset, size } = sectionOf(file, ".note.gnu.build-id");
  return `bun ${file.toString("hex", offset, offset + size).slice(-40)}`;
}

function listFile(): string {
  return `build/start-pages/${TARGET}.txt`;
}
