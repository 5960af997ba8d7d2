// A directory that can be a root: programs, and the libraries that they load.
import { basename, dirname } from "node:path";
import { $, which } from "bun";

/** Copies each program, a name on PATH or a path, to bin/ (and so usr/bin/) below root, and its libraries to where they are. */
export async function installPrograms(root: string, programs: readonly string[]): Promise<void> {
  await $`mkdir -p ${root}/bin ${root}/usr && ln -sfn ../bin ${root}/usr/bin`;
  for (const program of programs) {
    const file = program.includes("/") ? program : which(program);
    if (file === null) throw new Error(`cannot find ${program}`);
    await $`cp -L ${file} ${root}/bin/${basename(program)}`;
    for (const [library] of (await $`ldd ${file}`.text()).matchAll(/\/\S+\.so\S*/g)) {
      await $`mkdir -p ${root}${dirname(library)} && cp -L ${library} ${root}${library}`;
    }
  }
}
