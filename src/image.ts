// A launcher's file, ffi/launcher/image.h: the code of its machine, and one plan.
import templates from "../dist/launcher.ts";
import type { Arch } from "./bake-options.ts";
import { layOut } from "./block.ts";
import { COVER_FIELDS, IMAGE, LAUNCH_FIELDS, METHODS } from "./contract.ts";
import type { Cover, Plan } from "./plan.ts";

const U64 = 8;
const HEAD = IMAGE.magic.length + 1 + IMAGE.digest;
/** p_filesz and p_memsz of the second program header, elf(5): the plan's length. */
const SIZES = 64 + 56 + 32;

/** The whole file. */
export function writeImage(plan: Plan, arch: Arch): Buffer {
  const template = Buffer.from(templates[arch], "base64");
  const room = layOut(plan, () => IMAGE.plan + template.length + HEAD);
  const block = room.subarray(0, room.findLastIndex((byte) => byte !== 0) + 2); // to the last NUL
  const head = Buffer.alloc(HEAD);
  head.write(IMAGE.magic);
  const file = Buffer.concat([template, head, block]);
  for (const at of [SIZES, SIZES + U64]) file.writeBigUInt64LE(BigInt(HEAD + block.length), at);
  digestOf(file, template.length).copy(file, digestAt(template.length));
  return file;
}

/** Throws an Error with the reason where it is no launcher of this nspin, or not as it was written. */
export function readImage(file: Buffer): { plan: Plan; arch: Arch } {
  for (const [arch, base64] of Object.entries(templates)) {
    const template = Buffer.from(base64, "base64");
    if (file.length < template.length + HEAD) continue;
    const code = Buffer.from(file.subarray(0, template.length));
    code.fill(0, SIZES, SIZES + 2 * U64);
    const at = digestAt(template.length);
    const magic = file.toString("latin1", template.length, template.length + IMAGE.magic.length);
    if (!code.equals(template) || magic !== IMAGE.magic) continue;
    if (!digestOf(file, template.length).equals(file.subarray(at, at + IMAGE.digest)))
      throw new Error("it was changed after it was baked");
    return { plan: readPlan(file, template.length), arch: arch as Arch };
  }
  throw new Error("it is no launcher, or one of another version of nspin");
}

function digestAt(length: number): number {
  return length + IMAGE.magic.length + 1;
}

function digestOf(file: Buffer, length: number): Buffer {
  const whole = Buffer.from(file);
  whole.fill(0, digestAt(length), digestAt(length) + IMAGE.digest);
  return Buffer.from(new Bun.CryptoHasher("sha256").update(whole).digest());
}

/** layOut(), backwards. */
function readPlan(file: Buffer, length: number): Plan {
  const number = (at: number) => Number(file.readBigUInt64LE(at));
  const bytes = (at: number) => file.subarray(at, file.indexOf(0, at));
  const where = (address: number) => address - IMAGE.plan; // in the file: its first byte is there
  const field = (name: (typeof LAUNCH_FIELDS)[number]) =>
    number(length + HEAD + LAUNCH_FIELDS.indexOf(name) * U64);
  const text = (address: number) => (address === 0 ? undefined : bytes(where(address)).toString());
  const covers = Array.from({ length: field("cover_count") }, (_, i): Cover => {
    const at = where(field("covers")) + i * COVER_FIELDS.length * U64;
    const path = (name: "source" | "target") => text(number(at + COVER_FIELDS.indexOf(name) * U64)) as string;
    return { source: path("source"), target: path("target"), isEntry: false };
  });
  const words: Uint8Array[] = [];
  for (
    let at = where(field("words"));
    words.length < field("word_count");
    at += (words.at(-1)?.length ?? 0) + 1
  )
    words.push(bytes(at));
  const method = Object.entries(METHODS).find(([, bit]) => bit === field("method"))?.[0] as Plan["method"];
  return {
    netns: text(field("netns")),
    etc: text(field("etc")),
    covers,
    method,
    readOnly: field("read_only") === 1,
    enter: "setns",
    words,
    tidWord: 0,
    lock: text(field("lock")) as string,
    skip: field("skip"),
    program: [],
  };
}
