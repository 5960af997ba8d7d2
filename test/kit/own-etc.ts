import { dirname } from "node:path";
import { $ } from "bun";

/** A /run and an /etc of its own, whose resolv.conf leads to file, as systemd-resolved makes it. */
export async function ownResolvConf(file: string): Promise<void> {
  await $`mount -t tmpfs run /run && tar -C /etc -cf /run/etc.tar .`;
  await $`mount -t tmpfs etc /etc && tar -C /etc -xf /run/etc.tar && rm /run/etc.tar`;
  await $`ln -sfn ..${file} /etc/resolv.conf && mkdir -p ${dirname(file)}`;
}
