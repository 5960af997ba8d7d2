// What Bun bundles into the binary, and how it compiles.
import { $ } from "bun";

/** The launch path, and what it starts as a thread. */
export const MODULES = ["src/main.ts", "src/unpinned-worker.ts"];
/** The commands are bundled first, and go in as a file (src/main.ts). */
export const COMMANDS = { module: "src/commands/index.ts", bundle: "dist/bundles/commands.js" };

// Without --no-compile-autoload-*, a bunfig.toml in the cwd runs code as root.
// Never strip: that turns the binary into the plain bun command.
const FLAGS = ["--compile", "--minify", "--bytecode", "--format=esm"];
const CLOSED = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];

/** The modules -> file. more: further options. */
export async function compile(
  modules: readonly string[],
  file: string,
  more: readonly string[] = [],
): Promise<void> {
  await $`${process.execPath} build ${FLAGS} ${CLOSED} ${more} ${modules} --outfile ${file}`.quiet();
}
