// nspin's own lines, all on stderr: stdout is the program's.
import { createConsola } from "consola/core";

// Through console.error: process.stderr would set O_NONBLOCK on the program's
// output and cost 11 ms. The level is fixed: an error is never silenced.
export const log = createConsola({
  level: 3,
  throttle: 0,
  reporters: [
    { log: ({ args }) => console.error(`nspin: ${args.join(" ").replace(/[\0-\x1f\x7f-\x9f]/g, visible)}`) },
  ],
});

function visible(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
