// nspin inside: what ps and check ask about programs, in a process that may hang; not for users.
import { answerAll } from "../observe/inside.ts";
import { askedOnStdin } from "./hidden.ts";

export const inside = askedOnStdin("inside", "ps", answerAll);
