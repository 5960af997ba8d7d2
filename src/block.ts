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
  const halves = new Uint32Array(block.buffer); // of u64s, little-endian; without BigInt, whose first use is dear
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
  const put = <Name extends string>(at: number, names: readonly Name[], fields: Record<Name, number>) => {
    for (let i = 0; i < names.length; i++) {
      const value = fields[names[i] as Name];
      halves[(at / U64 + i) * 2] = value >>> 0;
      halves[(at / U64 + i) * 2 + 1] = Math.floor(value / 2 ** 32);
    }
  };

  let at = LAUNCH_FIELDS.length * U64;
  const covers = base + at;
  for (const { source, target, isEntry, decision = 0 } of plan.covers) {
    const is_entry = Number(isEntry);
    put(at, COVER_FIELDS, { source: text(source), target: text(target), is_entry, decision, holder: 0 });
    at += COVER_FIELDS.length * U64;
  }
  const words = base + used;
  for (const word of plan.words) text(word);
  put(0, LAUNCH_FIELDS, {
    size: LAUNCH_FIELDS.length * U64,
    netns: text(plan.netns),
    join: Number(plan.enter === "setns" && plan.netns !== undefined),
    etc: text(plan.etc),
    covers,
    cover_count: plan.covers.length,
    method: METHODS[plan.method],
    read_only: Number(plan.readOnly),
    words,
    word_count: plan.words.length,
    tid_word: plan.tidWord,
    by_command: Number(plan.enter === "nsenter"),
    skip: plan.skip,
    lock: text(plan.lock),
    failed_step: 0,
    failed_cover: 0,
    failed_errno: 0,
  });
  return block;
}

/** At most: UTF-8 has up to three bytes for each unit of a string. */
function textBytes(plan: Plan): number {
  const room = (value: string | Uint8Array = "") => 3 * value.length + 1;
  let bytes = room(plan.netns) + room(plan.etc) + room(plan.lock);
  for (const { source, target } of plan.covers) bytes += room(source) + room(target);
  for (const word of plan.words) bytes += room(word);
  return bytes;
}
