// nspin's own lines, all on stderr: stdout is the program's.
import { createConsola } from "consola/core";
import { printable } from "./print.ts";

// Through console.error: process.stderr would set O_NONBLOCK on the program's
// output and cost 11 ms. The level is fixed: an error is never silenced.
export const log = createConsola({
  level: 3,
  throttle: 0,
  reporters: [{ log: ({ args }) => console.error(`nspin: ${printable(args.join(" "))}`) }],
});
