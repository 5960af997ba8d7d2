// What a start from a cold disk reads of its file: on an ext4 that was mounted
// afresh, the pages that are in the page cache afterwards.
import { basename, join } from "node:path";
import { $ } from "bun";
import type { Name } from "./figures.ts";
import { PATH, type Stage } from "./stage.ts";

const OF = ["launcher", "setns", "run", "published", "empty"] as const satisfies readonly Name[];

export async function readCold(stage: Stage) {
  const image = join(stage.own, "cold.img");
  const directory = "/run/cold";
  const at = (name: Name) => join(directory, basename(file(stage, name)));
  await $`mkdir ${directory} && truncate -s 512M ${image} && mkfs.ext4 -q ${image}`;
  const device = (await $`losetup --find --show ${image}`.text()).trim();
  try {
    const ahead = `/sys/block/${basename(device)}/queue/read_ahead_kb`;
    const usual = await Bun.file(ahead).text();
    await $`mount ${device} ${directory}`;
    await $`cp ${[...new Set(OF.map((name) => file(stage, name)))]} ${directory} && umount ${directory}`;
    const resident = async (name: Name) => {
      const [, ...words] = (stage.commands[name] as string).split(" ");
      await $`mount -o ro ${device} ${directory}`;
      try {
        await $`env -i PATH=${PATH.PATH} ${at(name)} ${words}`;
        const [pages, size] = (await $`fincore --bytes --noheadings --output RES,SIZE ${at(name)}`.text())
          .trim()
          .split(/ +/);
        return { pages: Number(pages), size: Number(size) };
      } finally {
        await $`umount ${directory}`;
      }
    };
    const read: Partial<Record<Name, { size: number; alone: number; ahead: number }>> = {};
    for (const name of OF) {
      await Bun.write(ahead, "0");
      const { pages: alone, size } = await resident(name);
      await Bun.write(ahead, usual);
      read[name] = { size, alone, ahead: (await resident(name)).pages };
    }
    return read;
  } finally {
    await $`losetup --detach ${device}`;
  }
}

function file(stage: Stage, name: Name): string {
  return (stage.commands[name] as string).split(" ")[0] as string;
}
