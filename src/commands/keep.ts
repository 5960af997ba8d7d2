// nspin keep: starts a keeper for `nspin refresh`, in a process that may hang; not for users.
import { keep as start } from "../observe/keep.ts";
import { askedOnStdin } from "./hidden.ts";

export const keep = askedOnStdin("keep", "refresh", start);
