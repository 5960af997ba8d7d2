// The entry guard (ffi/guard/) into a finished binary, at its entry point, and in
// the same segment the object that it hands to the dynamic linker.
import { $ } from "bun";
import { addCode, readCode, readElf, verifyCode } from "./elf.ts";
import { ASIDE, OBJECT } from "./object.ts";
import { type Pages, pagesAsMacros } from "./start-pages.ts";
import { CC, DIST, ELF_MACHINE, FREESTANDING } from "./target.ts";

const FLAGS = [...FREESTANDING, "-Os", "-g", `-DOBJECT="${OBJECT}"`, `-DASIDE="${ASIDE}"`];
const LINK = ["--entry=guard_entry", "--gc-sections", "--build-id=none", "-z,noexecstack,-z,noseparate-code"];
const SOURCES = [
  ...["entry.S", "object.S", "guard.c", "object.c", "start-pages.c"].map((file) => `ffi/guard/${file}`),
  ...["memory.c", "proc.c", "secure.c", "started.c", "text.c"].map((file) => `ffi/${file}`),
];

/**
 * from -> to. defines: for the compiler. Keeps dist/guard.elf, whose symbols gdb's
 * add-symbol-file takes. Throws.
 */
export async function guard(from: string, to: string, pages: Pages, defines: string[] = []): Promise<void> {
  const original = await read(from);
  const address = await codeAddress();
  const elf = `${DIST}/guard.elf`;
  const link = [
    ...LINK,
    `-Ttext-segment=0x${address.toString(16)}`,
    `--defsym=runtime_entry=${readElf(original).entry}`,
  ];
  await $`${CC} ${FLAGS} ${pagesAsMacros(pages)} ${defines} ${link.map((word) => `-Wl,${word}`)} ${SOURCES} -o ${elf}`;
  const code = readCode(await read(elf));
  // Copied into place: as Bun.write leaves it in the page cache, each start takes 1 ms more.
  const part = `${to}.part`;
  await Bun.write(part, addCode(original, ELF_MACHINE, code));
  await $`install -m 755 ${part} ${to} && rm ${part}`;
  verifyCode(await read(to), original, code);
}

async function read(file: string): Promise<Buffer> {
  return Buffer.from(await Bun.file(file).arrayBuffer());
}

/** Out of ffi/guard/address.h, by the compiler. */
async function codeAddress(): Promise<number> {
  const ask = Buffer.from('#include "ffi/guard/address.h"\n= GUARD_CODE\n');
  const address = Number((await $`${CC} -E -P -xc -I. - < ${ask}`.text()).split("=").at(-1));
  if (!address) throw new Error("cannot find GUARD_CODE in ffi/guard/address.h");
  return address;
}
