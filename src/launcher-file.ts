// A launcher's file, ffi/launcher/image.h: the code of its machine, and one plan.
import templates from "../dist/launcher.ts";
import { LAUNCHER_FILE } from "./contract.ts";
import { readPlan, writePlan } from "./launch-struct.ts";
import type { Memory } from "./library.ts";
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

interface Launcher {
  readonly plan: Plan;
  readonly arch: Arch;
  /** Of the nspin that baked it; undefined: of one before launchers said so. */
  readonly version: string | undefined;
  /** Its code is what this nspin would write. */
  readonly isOwn: boolean;
}

/** Throws an Error with the reason where it is no launcher, or not as it was written. */
export function readLauncher(file: Buffer): Launcher {
  const { arch, plan: at, version } = locate(file);
  const digest = file.subarray(digestAt(at), at + HEAD);
  if (!digestOf(file, at).equals(digest)) throw new Error("it was changed after it was baked");
  const code = Buffer.from(file.subarray(0, at));
  code.fill(0, SIZES, SIZES + 2 * U64);
  const isOwn = code.equals(Buffer.from(templates[arch], "base64"));
  return { plan: readPlan(asMapped(file), PLAN_ADDRESS + at + HEAD), arch, version, isOwn };
}

/** By its ELF headers, elf(5), which every version's launcher has: whose machine's, where its plan begins, its note. */
function locate(file: Buffer): { arch: Arch; plan: number; version: string | undefined } {
  const machines: Record<number, Arch> = { 62: "x64", 183: "arm64" }; // EM_X86_64, EM_AARCH64
  const [header, segment] = [64, 56];
  const isElf = file.length >= header && file.toString("latin1", 0, 6) === "\x7fELF\x02\x01";
  const arch = isElf ? machines[file.readUInt16LE(18)] : undefined;
  const count = isElf ? file.readUInt16LE(56) : 0;
  if (arch === undefined || count < 2 || file.length < header + count * segment) throw new Error(NONE);
  const begin = Number(file.readBigUInt64LE(header + segment + 8)); // p_offset of the second
  const magic = file.toString("latin1", begin, begin + MAGIC.length + 1);
  if (magic !== `${MAGIC}\0` || file.length < begin + HEAD) throw new Error(NONE);
  return { arch, plan: begin, version: versionOf(file, header + (count - 1) * segment) };
}

const NONE = "it is no launcher of nspin";

/** Of the note, ffi/launcher/note.S, whose program header is the last. */
function versionOf(file: Buffer, header: number): string | undefined {
  const PT_NOTE = 4;
  if (file.readUInt32LE(header) !== PT_NOTE) return undefined;
  const begin = Number(file.readBigUInt64LE(header + 8));
  const note = file.toString("latin1", begin, begin + Number(file.readBigUInt64LE(header + 32)));
  return /"name":"nspin","version":"([^"]*)"/.exec(note)?.[1];
}

function digestAt(length: number): number {
  return length + MAGIC.length + 1;
}

function digestOf(file: Buffer, length: number): Buffer {
  const whole = Buffer.from(file);
  whole.fill(0, digestAt(length), digestAt(length) + DIGEST_BYTES);
  return Buffer.from(new Bun.CryptoHasher("sha256").update(whole).digest());
}

/** The file's bytes at the addresses at which the plan's segment is mapped. Whoever wrote it can have written any. */
function asMapped(file: Buffer): Memory {
  let unread = file.length; // each text is there once
  const within = (address: number, bytes: number) => {
    const at = address - PLAN_ADDRESS;
    if (!(at >= 0 && at + bytes <= file.length)) throw new Error("its plan points out of it");
    return at;
  };
  return {
    u64: (address) => Number(file.readBigUInt64LE(within(address, U64))),
    bytes: (address) => {
      const at = within(address, 1);
      const end = file.indexOf(0, at);
      const text = file.subarray(at, end < 0 ? file.length : end);
      unread -= text.length;
      if (unread < 0) throw new Error("its plan has one text in many places");
      return text;
    },
  };
}
