import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** HELLO and WORLD in a directory of their own. */
export function files() {
  const directory = mkdtempSync("/tmp/nspin-test-");
  const hello = join(directory, "HELLO");
  const world = join(directory, "WORLD");
  writeFileSync(hello, "HELLO\n");
  writeFileSync(world, "WORLD\n");
  mkdirSync(join(directory, "dir"));
  return { directory, hello, world };
}
