// Which files have the limits of pids.max, by what a process is told of its cgroups; for real: test/root/doctor.test.ts.
import { expect, test } from "bun:test";
import { limitsOn } from "../../src/doctor/pids.ts";
import { parseMountinfo } from "../../src/mountinfo.ts";

const second = "30 24 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate";
const first = "31 25 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids";

/** Of which cgroup it is, and the directory. */
type Limited = Record<string, string>;

test.each([
  [
    "version 2, whose root has no limit",
    "0::/a.slice/b.service\n",
    second,
    { "/a.slice": "/sys/fs/cgroup/a.slice", "/a.slice/b.service": "/sys/fs/cgroup/a.slice/b.service" },
  ],
  ["version 2, in a container", "0::/\n", second, { "/": "/sys/fs/cgroup" }],
  ["version 1", "4:memory:/m\n3:pids:/a\n0::/x\n", first, { "/a": "/sys/fs/cgroup/pids/a" }],
  [
    "version 1, in a container that is told the host's path",
    "3:pids:/pod/c1/inner\n",
    first.replace(" / ", " /pod/c1 "),
    { "/pod/c1": "/sys/fs/cgroup/pids", "/pod/c1/inner": "/sys/fs/cgroup/pids/inner" },
  ],
] as [string, string, string, Limited][])("%s", (_, cgroups, table, limited) => {
  const read = (path: string) => {
    const isOne = Object.values(limited).some((directory) => path === `${directory}/pids.max`);
    return isOne ? "9\n" : path.endsWith(".max") ? "max\n" : "4\n";
  };
  expect(limitsOn(cgroups, parseMountinfo(table), read)).toEqual(
    Object.keys(limited).map((cgroup) => ({ cgroup, most: 9, here: 4 })),
  );
});

test.each([
  ["a cgroup that is outside of what is mounted", "0::/../x\n"],
  ["none", ""],
])("%s", (_, cgroups) => {
  expect(limitsOn(cgroups, parseMountinfo(second), () => "5\n")).toEqual([]);
});
