// The npm packages that are in the binary: those of which the bundler has taken a file.
import { join } from "node:path";
import { COMMANDS, MODULES } from "./bundle.ts";

interface Carried {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly author: string;
}

export async function carried(): Promise<Carried[]> {
  const { metafile } = await Bun.build({
    entrypoints: [...MODULES, COMMANDS.module],
    target: "bun",
    metafile: true,
  });
  const files = Object.keys(metafile?.inputs ?? {});
  const names = files.flatMap((file) => /.*node_modules\/((?:@[^/]*\/)?[^/]*)/.exec(file)?.[1] ?? []);
  if (names.length === 0) throw new Error("the bundler names no file of a package");
  return await Promise.all([...new Set(names)].sort().map(read));
}

async function read(name: string): Promise<Carried> {
  const { version, license, author } = await Bun.file(join("node_modules", name, "package.json")).json();
  const who = typeof author === "string" ? author.replace(/ *<.*/, "") : author?.name;
  return { name, version, license, author: who ?? `the ${name} authors` };
}
