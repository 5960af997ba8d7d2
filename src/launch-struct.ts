// Plan <-> struct launch of ffi/contract.h: for a call, or in a launcher's file.

import type { Extra } from "./arguments.ts";
import { COVER_FIELDS, EXTRAS, LAUNCH_FIELDS, METHODS, NETNS_ARGUMENTS, OF_OWN_DNS } from "./contract.ts";
import type { Memory } from "./library.ts";
import type { Cover, Plan } from "./plan.ts";

const U64 = 8;
const encoder = new TextEncoder();

type Launch = Record<(typeof LAUNCH_FIELDS)[number], number>;
type CoverStruct = Record<(typeof COVER_FIELDS)[number], number>;

/**
 * One block of memory: the struct, its covers, their text. addressOf says where the
 * block's first byte will be: the addresses within it depend on that.
 */
export function writePlan(plan: Plan, addressOf: (block: Uint8Array) => number): Uint8Array {
  const structs = (LAUNCH_FIELDS.length + plan.covers.length * COVER_FIELDS.length) * U64;
  const block = new Uint8Array(Math.ceil((structs + textBytes(plan)) / U64) * U64);
  const halves = new Uint32Array(block.buffer); // of u64s, little-endian; BigInt's first use is dear
  const base = addressOf(block);
  let used = structs;

  const text = (value: string | Uint8Array | undefined): number => {
    if (value === undefined) return 0;
    const at = used;
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    block.set(bytes, at);
    used += bytes.length + 1; // NUL
    return base + at;
  };

  let half = LAUNCH_FIELDS.length * 2;
  for (const { source, target, isEntry, isOwn } of plan.covers) {
    const cover: CoverStruct = {
      source: text(source),
      target: text(target),
      is_entry: isOwn ? OF_OWN_DNS : Number(isEntry),
      decision: 0,
      holder: 0,
    };
    for (const name of COVER_FIELDS) {
      halves[half++] = cover[name];
      halves[half++] = cover[name] / 2 ** 32;
    }
  }

  const words = base + used;
  for (const word of plan.words) text(word);
  const launch: Launch = {
    size: LAUNCH_FIELDS.length * U64,
    netns: text(plan.netns),
    etc: text(plan.etc),
    covers: base + LAUNCH_FIELDS.length * U64,
    cover_count: plan.covers.length,
    method: METHODS[plan.method],
    keep: Number(plan.keep),
    read_only: Number(plan.readOnly),
    words,
    word_count: plan.words.length,
    tid_word: plan.tidWord,
    command_words: plan.commandWords,
    by_command: plan.commandWords === 0 ? 0 : plan.enter === "auto" ? 1 : 2,
    strict: Number(plan.strict),
    left_out: 0,
    skip: plan.skip,
    lock: text(plan.lock),
    force: Number(plan.force === true),
    extras: bitsOf(plan.extras),
    steps: 0,
    step_count: 0,
    failed_process: 0,
    failed_step: 0,
    failed_cover: 0,
    failed_errno: 0,
    netns_argument: plan.netnsArgument === undefined ? 0 : NETNS_ARGUMENTS[plan.netnsArgument],
  };
  half = 0;
  for (const name of LAUNCH_FIELDS) {
    halves[half++] = launch[name];
    halves[half++] = launch[name] / 2 ** 32;
  }
  return block;
}

function bitsOf(extras: Plan["extras"]): number {
  let bits = 0;
  for (const name of extras) bits += EXTRAS[name];
  return bits;
}

/** At most: UTF-8 has up to three bytes for each unit of a string. */
function textBytes({ netns = "", etc = "", lock, covers, words }: Plan): number {
  let units = netns.length + etc.length + lock.length;
  for (const { source, target } of covers) units += source.length + target.length;
  for (const word of words) units += word.length;
  return 3 * units + 3 + 2 * covers.length + words.length; // and their NULs
}

/** A path that is not UTF-8 is another one after this. */
function readCovers(memory: Memory, covers: number, count: number): Cover[] {
  return Array.from({ length: count }, (_, i): Cover => {
    const cover = readFields(memory, covers + i * COVER_FIELDS.length * U64, COVER_FIELDS);
    const { source, target, is_entry, decision } = cover;
    const paths = { source: readText(memory, source), target: readText(memory, target) };
    const decided = decision === 0 ? {} : { decision };
    const own = is_entry === OF_OWN_DNS ? { isOwn: true } : {};
    return { ...paths, isEntry: is_entry === 1, ...own, ...decided };
  });
}

/** A step that the sequence would take. */
export interface Step {
  /** From 1, as in STEPS. */
  readonly number: number;
  /** The index of the cover that it is about. */
  readonly cover: number;
}

/** What the sequence has answered. */
export function readDecided(memory: Memory, address: number) {
  const launch = readFields(memory, address, LAUNCH_FIELDS);
  const { covers, cover_count, left_out, steps, step_count, by_command } = launch;
  const all = readCovers(memory, covers, cover_count + left_out);
  return {
    covers: all.slice(0, cover_count),
    /** Entries of plan.etc without a namesake in /etc. */
    leftOut: all.slice(cover_count),
    isByCommand: by_command !== 0,
    steps: Array.from({ length: step_count }, (_, i): Step => {
      const step = memory.u64(steps + i * U64);
      return { number: step % 2 ** 32, cover: Math.floor(step / 2 ** 32) };
    }),
  };
}

/**
 * The whole plan; what the command line adds to the program is not in it. Of an older nspin the struct is shorter, and what it
 * lacks is 0. Throws where it is longer.
 */
export function readPlan(memory: Memory, address: number): Plan {
  const count = memory.u64(address) / U64;
  if (count > LAUNCH_FIELDS.length) throw new Error("it was baked by a later version of nspin");
  const known = readFields(memory, address, LAUNCH_FIELDS.slice(0, count));
  const launch = { ...(Object.fromEntries(LAUNCH_FIELDS.map((name) => [name, 0])) as Launch), ...known };
  const words: Uint8Array[] = [];
  for (let at = launch.words; words.length < launch.word_count; at += (words.at(-1)?.length ?? 0) + 1)
    words.push(memory.bytes(at));
  const optional = (field: number) => (field === 0 ? undefined : readText(memory, field));
  const method = nameOf(METHODS, launch.method);
  if (method === undefined) throw new Error("its plan has no method");
  const netnsArgument = nameOf(NETNS_ARGUMENTS, launch.netns_argument);
  return {
    netns: optional(launch.netns),
    ...(netnsArgument === undefined ? {} : { netnsArgument }),
    etc: optional(launch.etc),
    covers: readCovers(memory, launch.covers, launch.cover_count),
    method,
    keep: launch.keep === 1,
    readOnly: launch.read_only === 1,
    strict: launch.strict === 1,
    extras: (Object.keys(EXTRAS) as Extra[]).filter((name) => (launch.extras & EXTRAS[name]) !== 0),
    enter: "setns",
    words,
    commandWords: launch.command_words,
    tidWord: launch.tid_word,
    lock: readText(memory, launch.lock),
    skip: launch.skip,
    program: [],
  };
}

function nameOf<Name extends string>(numbers: Readonly<Record<Name, number>>, number: number) {
  return (Object.keys(numbers) as Name[]).find((name) => numbers[name] === number);
}

function readFields<Name extends string>(memory: Memory, address: number, names: readonly Name[]) {
  const fields = names.map((name, i) => [name, memory.u64(address + i * U64)]);
  return Object.fromEntries(fields) as Record<Name, number>;
}

function readText(memory: Memory, address: number): string {
  return new TextDecoder().decode(memory.bytes(address));
}
