import { resolve } from "node:path";

/** The compiled binary. */
export const NSPIN = resolve(import.meta.dir, "../../dist/nspin");
