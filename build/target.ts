// The machine to build for: this one, or `--target arm64`, which needs
// gcc-aarch64-linux-gnu and puts what comes out into dist/arm64.
import { parseArgs } from "node:util";

const MACHINES = {
  x64: { elf: 62, triplet: "x86_64-linux-gnu" }, // EM_X86_64, elf.h
  arm64: { elf: 183, triplet: "aarch64-linux-gnu" }, // EM_AARCH64
} as const;

export type Machine = keyof typeof MACHINES;
export const ALL = Object.keys(MACHINES) as Machine[];

const own = process.arch as Machine;
const { values } = parseArgs({ options: { target: { type: "string", default: own } } });
if (!Object.hasOwn(MACHINES, values.target)) throw new Error(`unknown target ${values.target}`);

export const TARGET = values.target as Machine;
export const IS_NATIVE = TARGET === own;
export const ELF_MACHINE: number = MACHINES[TARGET].elf;
export const CC = compilerOf(TARGET);
/** Where the objects and the binary go. */
export const DIST = IS_NATIVE ? "dist" : `dist/${TARGET}`;

export function compilerOf(machine: Machine): string {
  return machine === own ? (process.env.CC ?? "cc") : `${MACHINES[machine].triplet}-gcc`;
}
