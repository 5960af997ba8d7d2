// What to build for: this machine, or `--target NAME`, one of TARGETS. Another
// machine than this one needs its gcc, of the package gcc-aarch64-linux-gnu.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Glob } from "bun";

const MACHINES = {
  x64: { elf: 62, triplet: "x86_64-linux-gnu", qemu: "qemu-x86_64" }, // EM_X86_64, elf.h
  arm64: { elf: 183, triplet: "aarch64-linux-gnu", qemu: "qemu-aarch64" }, // EM_AARCH64
} as const;

export type Machine = keyof typeof MACHINES;
export const ALL = Object.keys(MACHINES) as Machine[];

/** What is released, by the name that Bun's build for it has behind "bun-linux-"; the C is the machine's. */
export const TARGETS = {
  x64: "x64",
  "x64-musl": "x64",
  arm64: "arm64",
  "arm64-musl": "arm64",
} as const satisfies Record<string, Machine>;
export type Target = keyof typeof TARGETS;

const own = process.arch as Machine;
const { values } = parseArgs({
  options: { target: { type: "string", default: own }, "start-pages": { type: "boolean", default: false } },
});
if (!Object.hasOwn(TARGETS, values.target)) throw new Error(`unknown target ${values.target}`);

/** Find build/start-pages/ anew. */
export const FINDS_START_PAGES = values["start-pages"];
export const TARGET = values.target as Target;
export const MACHINE: Machine = TARGETS[TARGET];
export const IS_NATIVE = TARGET === own;
export const ELF_MACHINE: number = MACHINES[MACHINE].elf;
export const CC = compilerOf(MACHINE);
export const OBJCOPY = MACHINE === own ? "objcopy" : `${MACHINES[MACHINE].triplet}-objcopy`;
/** Where the objects and the binary go. */
export const DIST = distOf(TARGET);

export function distOf(target: Target): string {
  return target === own ? "dist" : `dist/${target}`;
}

export function compilerOf(machine: Machine): string {
  return machine === own ? (process.env.CC ?? "cc") : `${MACHINES[machine].triplet}-gcc`;
}

/** What runs a target's binary here: words before its path. Of musl, with what test/release/unpack.sh has made. */
export function emulatorOf(target: Target, cpu: Record<Machine, string>): string[] {
  const machine: Machine = TARGETS[target];
  const { qemu, triplet } = MACHINES[machine];
  const glibc = machine === own ? "/" : `/usr/${triplet}`;
  const root = target.endsWith("-musl") ? resolve("dist/musl", machine) : glibc;
  return [qemu, "-cpu", cpu[machine], "-L", root];
}

/** The C of these folders. */
export function sourcesOf(...folders: string[]): string[] {
  return folders.flatMap((folder) => [...new Glob(`${folder}/*.c`).scanSync()].sort());
}

/** For C without libc, in as few sections as are used. */
const WITHOUT_LIBC = [
  ...["-std=gnu11", "-ffreestanding", "-nostdlib"],
  "-mgeneral-regs-only", // the vector registers stay as they are
  ...["-ffunction-sections", "-fdata-sections", "-fno-stack-protector"],
  ...["-fno-unwind-tables", "-fno-asynchronous-unwind-tables"],
  `-ffile-prefix-map=${process.cwd()}=.`, // the same bytes wherever they are built
  ...["-Wall", "-Wextra", "-Werror"],
];
/** Small before all, each page of it is read from a cold disk: what gains most of what gcc 12 has. */
const SMALLEST = [
  ...["-Oz", "-flto", "-fno-expensive-optimizations", "-fno-move-loop-invariants", "-fno-tree-tail-merge"],
  "-fno-tree-loop-distribute-patterns", // ffi/memory.c would call itself
];
export const SMALL: Record<Machine, string[]> = {
  x64: [
    ...[...SMALLEST, "-fno-inline-functions-called-once", "-fno-if-conversion"],
    ...["-fno-tree-coalesce-vars", "-fno-tree-dominator-opts"],
    "-mpreferred-stack-boundary=3", // without vector registers nothing needs 16 bytes
  ],
  arm64: [
    ...[...SMALLEST, "-fomit-frame-pointer"],
    "-mcmodel=tiny", // what it addresses is near its code
  ],
};
/** At fixed addresses: the entry guard, a launcher. */
export const FREESTANDING = [...WITHOUT_LIBC, "-static", "-fno-pie", "-no-pie"];
/** Anywhere, with nothing for the dynamic linker to relocate: dist/nspin.so. */
export const SHARED = [...WITHOUT_LIBC, "-shared", "-fPIC", "-fvisibility=hidden"];
