// When what is built was written: SOURCE_DATE_EPOCH, reproducible-builds.org, or the commit's time.
import { $ } from "bun";

export async function commitDate(): Promise<Date> {
  const { SOURCE_DATE_EPOCH = await commitTime() } = process.env;
  return new Date(Number(SOURCE_DATE_EPOCH) * 1000);
}

/** A tree without its repository is of no time. */
async function commitTime(): Promise<string> {
  const { stdout, exitCode } = await $`git log -1 --format=%ct`.nothrow().quiet();
  return exitCode === 0 ? stdout.toString() : "0";
}
