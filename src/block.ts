// Plan -> struct launch, ffi/launch.h: for the call, or for a launcher's file.
import { COVER_FIELDS, LAUNCH_FIELDS, METHODS } from "./contract.ts";
import type { Plan } from "./plan.ts";

const U64 = 8;
const encoder = new TextEncoder();

/**
 * One block: the struct, its covers, their text. addressOf says where its first
 * byte will be, on which the addresses within depend.
 */
export function layOut(plan: Plan, addressOf: (block: Uint8Array) => number): Uint8Array {
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
  for (const { source, target, isEntry } of plan.covers) {
    const cover: Record<(typeof COVER_FIELDS)[number], number> = {
      source: text(source),
      target: text(target),
      is_entry: Number(isEntry),
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
  const launch: Record<(typeof LAUNCH_FIELDS)[number], number> = {
    size: LAUNCH_FIELDS.length * U64,
    netns: text(plan.netns),
    join: Number(plan.enter === "setns" && plan.netns !== undefined),
    etc: text(plan.etc),
    covers: base + LAUNCH_FIELDS.length * U64,
    cover_count: plan.covers.length,
    method: METHODS[plan.method],
    read_only: Number(plan.readOnly),
    words,
    word_count: plan.words.length,
    tid_word: plan.tidWord,
    by_command: Number(plan.enter === "nsenter"),
    skip: plan.skip,
    lock: text(plan.lock),
    force: Number(plan.force === true),
    steps: 0,
    step_count: 0,
    failed_process: 0,
    failed_step: 0,
    failed_cover: 0,
    failed_errno: 0,
  };
  half = 0;
  for (const name of LAUNCH_FIELDS) {
    halves[half++] = launch[name];
    halves[half++] = launch[name] / 2 ** 32;
  }
  return block;
}

/** At most: UTF-8 has up to three bytes for each unit of a string. */
function textBytes({ netns = "", etc = "", lock, covers, words }: Plan): number {
  let units = netns.length + etc.length + lock.length;
  for (const { source, target } of covers) units += source.length + target.length;
  for (const word of words) units += word.length;
  return 3 * units + 3 + 2 * covers.length + words.length; // and their NULs
}
