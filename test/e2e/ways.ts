// How a unit can start a snapshotter in a task's network: nspin, and the others.
import { writeFileSync } from "node:fs";
import { published } from "../kit/published.ts";
import type { Options } from "./scenario.ts";

/** The runtime does not pass on the notification of Type=notify, so the unit waits for the socket. */
const bundle =
  (runtime: string) =>
  (task: string, program: string): string =>
    [
      "Type=exec",
      `ExecStartPre=nspin bundle /dev/shm/${task} --netns ${task} --share /var/lib/snapshotter/${task} -- ${program}`,
      `ExecStart=${runtime} run --bundle /dev/shm/${task} ${task}`,
      `ExecStartPost=sh -c 'until [ -S /run/soci-${task}/grpc.sock ]; do sleep 0.1; done'`,
      `ExecStopPost=rm -r /dev/shm/${task}`,
    ].join("\n");

export const ways: Record<string, Pick<Options, "nspin" | "way">> = {
  "nspin run (auto)": { nspin: "--method auto" },
  "nspin run --method rejoin": { nspin: "--method rejoin" },
  "nspin run --method overlay": { nspin: "--method overlay" },
  "nspin run --method pin": { nspin: "--method pin" },
  "runc, by nspin bundle": { nspin: "--method rejoin", way: bundle("runc") },
  "crun, by nspin bundle": { nspin: "--method rejoin", way: bundle("crun") },
  "the published sequence": {
    nspin: "--method rejoin",
    way: (task, program) => {
      writeFileSync(`/run/published-${task}`, published(task));
      return `ExecStart=sh /run/published-${task} ${program}`;
    },
  },
  "ip netns exec": {
    nspin: "--method rejoin",
    way: (task, program) => `ExecStart=ip netns exec ${task} ${program}`,
  },
  "systemd: NetworkNamespacePath=, BindReadOnlyPaths=": {
    nspin: "--method rejoin",
    way: (task, program) =>
      [
        `NetworkNamespacePath=/run/netns/${task}`,
        `BindReadOnlyPaths=/etc/netns/${task}/resolv.conf:/etc/resolv.conf`,
        `ExecStart=${program}`,
      ].join("\n"),
  },
};
