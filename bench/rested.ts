// A start now and then, as a host has it: each after a rest, by when the keeper before it has ended, and
// what else the machine does has taken the caches.
import type { Name } from "./names.ts";
import { type Spread, spreads } from "./spread.ts";
import type { Stage } from "./stage.ts";
import { timeInTurn } from "./time.ts";

export const REST_S = 0.1;
const OF = ["launcher", "kept", "nsenter", "ip", "setns", "setnsKept", "run", "runKept"] as const;
const ROUNDS = 10;
const RUNS = 12; // in each

export async function afterRest(stage: Stage): Promise<Partial<Record<Name, Spread>>> {
  const commands = Object.fromEntries(OF.map((name) => [name, stage.commands[name]]));
  const rests = Object.fromEntries(OF.map((name) => [name, `sleep ${REST_S}`]));
  return spreads(await timeInTurn<Name>(stage, commands, ROUNDS, RUNS, rests));
}
