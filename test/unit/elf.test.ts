import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { addCode, readCode, readElf, verifyCode, verifyObject } from "../../build/elf.ts";
import { ELF_MACHINE, SHARED } from "../../build/target.ts";

// Small, and laid out as Bun's binary is: fixed addresses, a note last.
const directory = mkdtempSync(join(tmpdir(), "nspin-elf-"));
afterAll(() => rmSync(directory, { recursive: true }));
const link = async (name: string, source: string, ...flags: string[]) => {
  const file = join(directory, name);
  const program = Buffer.from(`#include "ffi/syscall.h"\n${source}`);
  await $`cc -I. -Os -ffreestanding -nostdlib -static -fno-pie -no-pie -fno-asynchronous-unwind-tables -xc - ${flags} -o ${file} < ${program}`.quiet();
  return readFileSync(file);
};
const exit = (status: number) => `void _start(void) { CALL(__NR_exit_group, ${status}); for (;;); }`;
const script = join(directory, "script");
await Bun.write(
  script,
  "PHDRS { text PT_LOAD FILEHDR PHDRS FLAGS(5); data PT_LOAD FLAGS(6); stack 0x6474e551 FLAGS(6); note PT_NOTE; }\n" +
    "SECTIONS { . = 0x200000 + SIZEOF_HEADERS; .text : { *(.text*) } :text .note : { *(.note.gnu.build-id) } :text :note\n" +
    ". = 0x400000; .data : { *(.data*) } :data /DISCARD/ : { *(.comment) *(.note.GNU-stack) *(.note.gnu.property) } }\n",
);
const image = await link("image", `int data = 1; ${exit(1)}`, "-Wl,--build-id", "-T", script);
const CODE = 0x40000000;
const code = readCode(
  await link("code", exit(7), `-Wl,-Ttext-segment=0x${CODE.toString(16)},-z,noseparate-code,--build-id=none`),
);
const withCode = (file: Buffer) => addCode(file, ELF_MACHINE, code);
const { segments } = readElf(image);
const [text, data, , note] = segments.map(({ at }) => at) as [number, number, number, number];

/** The image with these little-endian values in it: [where, bytes, value]. */
const changed = (...values: [number, number, number][]) => {
  const copy = Buffer.from(image);
  for (const [at, bytes, value] of values) copy.writeUIntLE(value, at, bytes);
  return copy;
};

test("the code runs instead, and nothing else has changed", async () => {
  const guarded = withCode(image);
  const file = join(directory, "guarded");
  await Bun.write(file, guarded);
  expect((await $`chmod 755 ${file} && ${join(directory, "image")}`.nothrow()).exitCode).toBe(1);
  expect((await $`${file}`.nothrow()).exitCode).toBe(7);
  expect(() => verifyCode(guarded, image, code)).not.toThrow();
});

const [TYPE, FLAGS, VADDR, MEMSZ] = [0, 4, 16, 40]; // in a program header, elf(5)
test.each([
  ["no ELF", changed([0, 1, 0]), "no 64-bit little-endian ELF"],
  ["32 bits", changed([4, 1, 1]), "no 64-bit little-endian ELF"],
  ["big-endian", changed([5, 1, 2]), "no 64-bit little-endian ELF"],
  ["position-independent", changed([16, 2, 3]), "ET_EXEC"],
  ["another machine", changed([18, 2, 40]), "machine 40"],
  ["program headers of another size", changed([54, 2, 32]), "32 bytes"],
  ["cut short", image.subarray(0, note), "cut short"],
  ["empty", Buffer.alloc(0), "cut short"],
  ["no note", changed([note + TYPE, 4, 0x6474e553]), "no note"],
  ["the note is not last", changed([56, 2, 3]), "no note"],
  ["the note is before the first segment", changed([text + TYPE, 4, 0], [data + TYPE, 4, 0]), "no note"],
  ["it reaches the code", changed([data + MEMSZ, 6, CODE]), "is it guarded already"],
  ["it lies above the code", changed([data + VADDR, 6, CODE * 2]), "is it guarded already"],
  ["guarded already", withCode(image), "is it guarded already"],
  ["a segment is writable and executable", changed([data + FLAGS, 4, 7]), "writable and executable"],
  ["the entry is in no segment", changed([24, 6, 0x1000]), "entry point"],
  ["the entry is in data", changed([24, 6, 0x400000]), "entry point"],
])("refused: %s", (_, file, why) => {
  expect(() => withCode(file)).toThrow(why);
});

test.each([
  ["data", `int data = 1; ${exit(7)}`, []],
  ["a writable text", exit(7), ["-Wl,--omagic"]],
])("code with %s is refused", async (_, source, flags) => {
  const file = await link("bad", source, "-Wl,-z,noseparate-code", ...flags);
  expect(() => readCode(file)).toThrow("no data");
});

test.each([
  ["the entry", 24],
  ["where its sections are", 40],
  ["how many sections it has", 60],
  ["a byte of the code", -1],
  ["the segment's flags", note + FLAGS],
  ["the segment's address", note + VADDR + 1],
  ["the segment's offset", note + 8],
  ["what was there before", data + FLAGS],
])("the look at the result sees that %s is wrong", (_, at) => {
  const guarded = withCode(image);
  const where = at < 0 ? guarded.length + at : at;
  guarded.writeUInt8(guarded.readUInt8(where) ^ 1, where);
  expect(() => verifyCode(guarded, image, code)).toThrow();
});

const share = async (source: string, ...flags: string[]) => {
  const file = join(directory, "shared");
  const program = Buffer.from(`#define EXPORT __attribute__((visibility("default")))\n${source}`);
  await $`cc ${SHARED} -Os -Wl,-z,norelro -xc - ${flags} -o ${file} < ${program}`.quiet();
  return readFileSync(file);
};
const one = "EXPORT int one(void) { return 1; }";

test("an object that exports what it should", async () => {
  const file = await share(`${one} int hidden(void) { return 2; }`);
  expect(() => verifyObject(file, ELF_MACHINE, ["one"])).not.toThrow();
  expect(() => verifyObject(file, ELF_MACHINE, ["one", "two"])).toThrow("it exports one, not one two");
  expect(() => verifyObject(file, 40, ["one"])).toThrow("machine");
  expect(() => verifyObject(image, ELF_MACHINE, ["one"])).toThrow("no shared object");
});

test.each([
  ["one export more", "EXPORT int two(void) { return 2; }", [], "it exports one two"],
  ["a library", "", ["-Wl,--no-as-needed", "-lc"], "NEEDED"],
  [
    "a function of another",
    "int other(void); EXPORT int two(void) { return other(); }",
    [],
    "JMPREL|PLTRELSZ",
  ],
  ["data", "static int count; EXPORT int two(void) { return count++; }", [], "it has data, .bss"],
  [
    "a relocation",
    'static const char *const texts[] = {"a", "b"}; EXPORT const char *two(int i) { return texts[i]; }',
    [],
    "it has data, .data.rel.ro|RELA",
  ],
  [
    "an initializer",
    '__attribute__((constructor)) static void begin(void) { __asm__ volatile(""); }',
    [],
    "init_array",
  ],
  ["a writable text", "", ["-Wl,--omagic"], "writable and executable"],
  ["an executable stack", "", ["-Wl,-z,execstack"], "writable and executable"],
])("an object with %s is refused", async (_, source, flags, why) => {
  const file = await share(`${one} ${source}`, ...flags);
  expect(() => verifyObject(file, ELF_MACHINE, ["one"])).toThrow(new RegExp(why));
});
