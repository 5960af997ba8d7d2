// ffi/ -> dist/nspin.so, the sequence as a shared object, and dist/aside.so; and a look at
// what came out: nothing in them may need anything of who loads them.
import { $ } from "bun";
import { FUNCTIONS } from "../src/library.ts";
import { verifyObject } from "./elf.ts";
import { CC, DIST, ELF_MACHINE, MACHINE, OBJCOPY, SHARED, SMALL, sourcesOf } from "./target.ts";
import { texts } from "./texts.ts";

export const OBJECT = `${DIST}/nspin.so`;
/** Bytes: each start writes it into a memfd. */
export const LIMIT = 32 << 10;
/** What few launches ask for, ffi/aside.h: not loaded, but run where the binary has it mapped. */
export const ASIDE = `${DIST}/aside.so`;
const ASIDE_LIMIT = 32 << 10;

/** What calls the sequence: without it the linker leaves that out too. */
const EXPORTS = "ffi/exports.c";

const FLAGS = [...SHARED, ...SMALL[MACHINE], "-g"];
const LINK = [
  ...["--gc-sections", "--build-id=none", "--hash-style=sysv", "-z,defs"],
  "--spare-dynamic-tags=0",
  ...["-z,noexecstack", "-z,noseparate-code"], // code, constants and headers in one segment
  "-z,norelro", // there is nothing to relocate; it would pad arm64's file to 64 KiB
];

/** What ld leaves in it, empty or without a use; nothing of it is dist/nspin.so's. */
const UNUSED = [".comment", ".eh_frame", ".got", ".got.plt"].map((name) => `--remove-section=${name}`);

/** Both. Keeps dist/NAME.so.debug, with its symbols, which gdb finds by itself. Throws. */
export async function objects(): Promise<void> {
  await $`mkdir -p ${DIST}`;
  await texts();
  const asides = sourcesOf("ffi", "ffi/keeper", "ffi/aside").filter((file) => file !== EXPORTS);
  await Promise.all([
    object(OBJECT, sourcesOf("ffi"), ["-soname,nspin.so"], Object.keys(FUNCTIONS), LIMIT),
    object(ASIDE, asides, ["--entry=aside"], [], ASIDE_LIMIT),
  ]);
}

async function object(
  file: string,
  sources: readonly string[],
  link: readonly string[],
  functions: readonly string[],
  limit: number,
): Promise<void> {
  const debug = `${file}.debug`;
  await $`${CC} ${FLAGS} ${[...LINK, ...link].map((word) => `-Wl,${word}`)} ${sources} -o ${debug}`;
  await $`${OBJCOPY} --strip-all ${UNUSED} --add-gnu-debuglink=${debug} ${debug} ${file}`;
  const bytes = Buffer.from(await Bun.file(file).arrayBuffer());
  verifyObject(bytes, ELF_MACHINE, functions);
  if (bytes.length > limit) throw new Error(`${file}: ${bytes.length} bytes, ${limit} is too many`);
}
