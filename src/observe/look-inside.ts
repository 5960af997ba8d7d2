// The questions to ./inside.ts, and the time that it has to answer them.
import { STATUSES } from "../contract.ts";
import { Refusal, Reported } from "../errors.ts";
import { startSelf } from "../self.ts";
import type { Answer, Question } from "./inside.ts";

const START = 60_000; // milliseconds, on a machine that has no time
const EACH = 5000; // of which three DNS servers that do not answer take three seconds

/** Of each, in their order: null, it has ended; undefined, it did not answer: a file system hangs. Throws Reported. */
export async function lookInside(questions: readonly Question[]): Promise<(Answer | null | undefined)[]> {
  const answers: (Answer | null | undefined)[] = [];
  while (answers.length < questions.length) {
    await ask(questions.slice(answers.length), answers);
    if (answers.length < questions.length) answers.push(undefined); // the next one goes on without it
  }
  return answers;
}

/** Until one takes too long; who hangs is left to end by itself. */
async function ask(questions: readonly Question[], answers: (Answer | null | undefined)[]): Promise<void> {
  const child = startSelf(["inside"], { stdin: Buffer.from(JSON.stringify(questions)), stdout: "pipe" });
  const expected = answers.length + questions.length;
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let patience = START;
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, patience, undefined);
    const got = await Promise.race([reader.read(), promise]);
    clearTimeout(timer);
    if (got === undefined) break;
    if (got.done) {
      if (answers.length === expected) break;
      await child.exited;
      if (child.signalCode !== null)
        throw new Refusal(
          `cannot look at what programs see: the process that looks was ended by ${child.signalCode}`,
          "by SIGKILL the kernel ends one for which there is no memory: 'journalctl --dmesg' says so",
        );
      throw new Reported(STATUSES.CANNOT); // which it has said
    }
    const lines = (rest + decoder.decode(got.value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== '"ready"') answers.push(JSON.parse(line));
    patience = EACH;
  }
  child.kill("SIGKILL");
  child.unref();
}
