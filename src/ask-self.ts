// What this program answers in a process of its own, a line of JSON each: a file system can hang whoever asks it
// for anything, beyond the reach of any signal.
import { STATUSES } from "./contract.ts";
import { Refusal, Reported } from "./errors.ts";
import { inTime, startSelf } from "./self.ts";

const START = 60_000; // milliseconds, on a machine that has no time

export interface Asked {
  /** The command, which says "ready" before its answers. */
  readonly command: string;
  /** How many answers there are. */
  readonly count: number;
  /** What it is told, when so many are known. */
  readonly toAsk: (known: number) => unknown;
  /** Milliseconds for one answer. */
  readonly patience: number;
  /** For a message: "cannot ...". */
  readonly does: string;
}

/** In their order; undefined: it did not answer. Throws Refusal or Reported. */
export async function askSelf<Answer>(asked: Asked): Promise<(Answer | undefined)[]> {
  const answers: (Answer | undefined)[] = [];
  while (answers.length < asked.count) {
    await ask(asked, answers);
    if (answers.length < asked.count) answers.push(undefined); // the next one goes on without it
  }
  return answers;
}

/** Until one takes too long; who hangs is left to end by itself. */
async function ask<Answer>(asked: Asked, answers: (Answer | undefined)[]): Promise<void> {
  const question = Buffer.from(JSON.stringify(asked.toAsk(answers.length)));
  const child = startSelf([asked.command], { stdin: question, stdout: "pipe" });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let patience = START;
  for (;;) {
    const got = await inTime(reader.read(), patience);
    if (got === undefined) break;
    if (got.done) {
      if (answers.length === asked.count) break;
      await child.exited;
      if (child.signalCode !== null)
        throw new Refusal(
          `cannot ${asked.does}: the process that looks was ended by ${child.signalCode}`,
          "by SIGKILL the kernel ends one for which there is no memory: 'journalctl --dmesg' says so",
        );
      throw new Reported(STATUSES.CANNOT); // which it has said
    }
    const lines = (rest + decoder.decode(got.value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== '"ready"') answers.push(JSON.parse(line));
    patience = asked.patience;
  }
  child.kill("SIGKILL");
  child.unref();
}
