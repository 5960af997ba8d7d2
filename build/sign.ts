// The signature of a release's checksums, by minisign(1). Who holds the key: docs/releasing.md.
import { resolve } from "node:path";
import { $ } from "bun";
import { version } from "../package.json";

/** SHA256SUMS -> SHA256SUMS.minisig, beside it. key: a file. */
export async function sign(directory: string, key: string): Promise<void> {
  await $`minisign -S -s ${resolve(key)} -t ${`nspin ${version}`} -m SHA256SUMS`.cwd(directory);
}
