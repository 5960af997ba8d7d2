// A launcher's file, ffi/launcher/image.h: the code of its machine, and one plan.
import templates from "../dist/launcher.ts";
import { LAUNCHER_FILE } from "./contract.ts";
import { type Memory, readPlan, writePlan } from "./launch-struct.ts";
import type { Plan } from "./plan.ts";

/** The machine that it runs on. */
export type Arch = keyof typeof templates;
export const ARCHES = Object.keys(templates) as Arch[];

const U64 = 8;
const { magic: MAGIC, digest: DIGEST_BYTES, plan: PLAN_ADDRESS } = LAUNCHER_FILE;
/** Before the plan: the magic with its NUL, and the digest. */
const HEAD = MAGIC.length + 1 + DIGEST_BYTES;
/** p_filesz and p_memsz of the second program header, elf(5): the plan's length. */
const SIZES = 64 + 56 + 32;

/** The whole file. */
export function writeLauncher(plan: Plan, arch: Arch): Buffer {
  const template = Buffer.from(templates[arch], "base64");
  const room = writePlan(plan, () => PLAN_ADDRESS + template.length + HEAD);
  const block = room.subarray(0, room.findLastIndex((byte) => byte !== 0) + 2); // to the last NUL
  const head = Buffer.alloc(HEAD);
  head.write(MAGIC);
  const file = Buffer.concat([template, head, block]);
  for (const at of [SIZES, SIZES + U64]) file.writeBigUInt64LE(BigInt(HEAD + block.length), at);
  digestOf(file, template.length).copy(file, digestAt(template.length));
  return file;
}

/** Throws an Error with the reason where it is no launcher of this nspin, or not as it was written. */
export function readLauncher(file: Buffer): { plan: Plan; arch: Arch } {
  for (const arch of ARCHES) {
    const template = Buffer.from(templates[arch], "base64");
    if (file.length < template.length + HEAD) continue;
    const code = Buffer.from(file.subarray(0, template.length));
    code.fill(0, SIZES, SIZES + 2 * U64);
    const at = digestAt(template.length);
    const magic = file.toString("latin1", template.length, template.length + MAGIC.length);
    if (!code.equals(template) || magic !== MAGIC) continue;
    if (!digestOf(file, template.length).equals(file.subarray(at, at + DIGEST_BYTES)))
      throw new Error("it was changed after it was baked");
    return { plan: readPlan(asMapped(file), PLAN_ADDRESS + template.length + HEAD), arch };
  }
  throw new Error("it is no launcher, or one of another version of nspin");
}

function digestAt(length: number): number {
  return length + MAGIC.length + 1;
}

function digestOf(file: Buffer, length: number): Buffer {
  const whole = Buffer.from(file);
  whole.fill(0, digestAt(length), digestAt(length) + DIGEST_BYTES);
  return Buffer.from(new Bun.CryptoHasher("sha256").update(whole).digest());
}

/** The file's bytes at the addresses at which the plan's segment is mapped. */
function asMapped(file: Buffer): Memory {
  return {
    u64: (address) => Number(file.readBigUInt64LE(address - PLAN_ADDRESS)),
    bytes: (address) => file.subarray(address - PLAN_ADDRESS, file.indexOf(0, address - PLAN_ADDRESS)),
  };
}
