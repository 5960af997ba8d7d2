// nspin examine: the checks of doctor, in a process that may hang; not for users.
import { examineAll } from "../doctor/examine.ts";
import { askedOnStdin } from "./hidden.ts";

export const examine = askedOnStdin("examine", "doctor", examineAll);
