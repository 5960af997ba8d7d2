// ffi/ -> dist/nspin.so, the sequence as a shared object, and a look at what came
// out: nothing in it may need anything of who loads it.
import { $, Glob } from "bun";
import { FUNCTIONS } from "../src/library.ts";
import { verifyObject } from "./elf.ts";
import { CC, DIST, ELF_MACHINE, MACHINE, OBJCOPY, SHARED, SMALL } from "./target.ts";
import { texts } from "./texts.ts";

export const OBJECT = `${DIST}/nspin.so`;
/** Bytes: each start writes it into a memfd. */
export const LIMIT = 32 << 10;

const FLAGS = [...SHARED, ...SMALL[MACHINE], "-g"];
const LINK = [
  ...["-soname,nspin.so", "--gc-sections", "--build-id=none", "--hash-style=sysv", "-z,defs"],
  "--spare-dynamic-tags=0",
  ...["-z,noexecstack", "-z,noseparate-code"], // code, constants and headers in one segment
  "-z,norelro", // there is nothing to relocate; it would pad arm64's file to 64 KiB
];

/** What ld leaves in it, empty or without a use; nothing of it is dist/nspin.so's. */
const UNUSED = [".comment", ".eh_frame", ".got", ".got.plt"].map((name) => `--remove-section=${name}`);

/** Keeps dist/nspin.so.debug, with its symbols, which gdb finds by itself. Throws. */
export async function object(): Promise<void> {
  const sources = [...new Glob("ffi/*.c").scanSync()].sort();
  const debug = `${OBJECT}.debug`;
  await $`mkdir -p ${DIST}`;
  await texts();
  await $`${CC} ${FLAGS} ${LINK.map((word) => `-Wl,${word}`)} ${sources} -o ${debug}`;
  await $`${OBJCOPY} --strip-all ${UNUSED} --add-gnu-debuglink=${debug} ${debug} ${OBJECT}`;
  const file = Buffer.from(await Bun.file(OBJECT).arrayBuffer());
  verifyObject(file, ELF_MACHINE, Object.keys(FUNCTIONS));
  if (file.length > LIMIT) throw new Error(`${OBJECT}: ${file.length} bytes, ${LIMIT} is too many`);
}
