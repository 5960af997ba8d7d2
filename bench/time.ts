// By hyperfine, without a shell, and nothing in the environment but PATH.
import { join } from "node:path";
import { $ } from "bun";
import { PATH, type Stage } from "./stage.ts";

/** Milliseconds of each start, in order. before: a line of shell, untimed; and once more in the end. */
export async function time(stage: Stage, command: string, runs: number, warmup: number, before?: string) {
  const json = join(stage.own, "hyperfine.json");
  const prepare = before === undefined ? [] : ["--prepare", `sh -c '${before}'`];
  await $`env -i PATH=${PATH.PATH} hyperfine -N --warmup ${warmup} --runs ${runs} ${prepare} --export-json ${json} ${command}`.quiet();
  if (before !== undefined) await $`sh -c ${before}`;
  const { results } = (await Bun.file(json).json()) as { results: [{ times: number[] }] };
  return results[0].times.map((seconds) => seconds * 1000);
}

/** In turn, round after round: what else the machine does then meets all of them alike. */
export async function timeInTurn<Name extends string>(
  stage: Stage,
  commands: Readonly<Partial<Record<Name, string>>>,
  rounds: number,
  runs: number,
  before?: Readonly<Partial<Record<Name, string>>>,
) {
  const names = Object.keys(commands) as Name[];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names)
      times.get(name)?.push(...(await time(stage, commands[name] as string, runs, 3, before?.[name])));
  }
  return Object.fromEntries(times) as Record<Name, number[]>;
}
