import { existsSync } from "node:fs";

/** A program of this directory, in C: the path of it, compiled. */
export function compile(name: string): string {
  const file = `/tmp/nspin-${name}`;
  if (existsSync(file)) return file;
  const cc = ["cc", "-Wall", "-Wextra", "-Werror", "-Os", "-static", "-o", file, `test/root/${name}.c`];
  const { success, stderr } = Bun.spawnSync(cc);
  if (!success) throw new Error(stderr.toString());
  return file;
}
