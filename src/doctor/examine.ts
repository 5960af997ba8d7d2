// The checks of doctor, made in a process that may hang: whose file systems their files are on, nobody knows.
import { Refusal } from "../errors.ts";
import { print } from "../print.ts";
import { attempt, failure } from "../system-error.ts";
import { examineCalls } from "./calls.ts";
import { type Check, type Finding, problem } from "./finding.ts";
import * as host from "./host.ts";
import { examinePids } from "./pids.ts";
import { examineMethod, examineResolvConf } from "./resolv-conf.ts";

export interface Question {
  /** Only what is in this file system: the others find nothing. */
  readonly isImage: boolean;
  readonly checks: readonly Check[];
}

/** For each check one line, as it is known: its findings. */
export async function examineAll({ isImage, checks }: Question): Promise<void> {
  const self = attempt("read", "/proc/self/status", undefined, host.self);
  const mayProbe = self.mayMount && !isImage;
  const ofImage: Partial<Record<Check, () => Finding[]>> = {
    nsenter: () => host.examineNsenter(mayProbe),
    "resolv.conf": examineResolvConf,
    "past-the-file": host.examinePast,
    netns: host.examineNetns,
  };
  const ofHost: Partial<Record<Check, () => Finding[] | Promise<Finding[]>>> = {
    privilege: () => host.examinePrivilege(self),
    calls: () => (mayProbe ? examineCalls(self.isFiltered) : []),
    propagation: host.examinePropagation,
    method: examineMethod,
    keeper: () => [...examinePids(), ...host.examineKeeper()],
    memory: host.examineMemory,
  };
  const examinations = { ...ofImage, ...(isImage ? {} : ofHost) };
  say("ready");
  for (const check of checks) say(await findingsOf(check, examinations[check]));
}

/** What cannot be looked at is a problem, and no reason not to look at the rest. */
async function findingsOf(
  check: Check,
  examine: (() => Finding[] | Promise<Finding[]>) | undefined,
): Promise<Finding[]> {
  try {
    return (await examine?.()) ?? [];
  } catch (error) {
    const refusal = failure("examine", check, error);
    if (refusal instanceof Refusal) return [problem(refusal.message, refusal.hint)];
    throw refusal;
  }
}

function say(what: unknown): void {
  print(JSON.stringify(what));
}
