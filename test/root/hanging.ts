import { $ } from "bun";
import { mountinfo } from "../kit/mountinfo.ts";
import { until } from "../kit/until.ts";
import { compile } from "./compile.ts";

/** Does something while a file system is mounted there that answers nothing: hangs.c. */
export async function whileHanging(at: string, act: () => Promise<void>): Promise<void> {
  const hangs = Bun.spawn([compile("hangs"), at]);
  try {
    await until(async () => mountinfo().includes(` ${at} `));
    await act();
  } finally {
    hangs.kill("SIGKILL");
    await hangs.exited;
    await $`umount -l ${at}`;
  }
}
