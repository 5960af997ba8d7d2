// One of the threads of unpinned.ts.
import { prepare, type Race } from "./unpinned.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<Race>) => {
  const take = prepare(data);
  self.postMessage("ready");
  take();
};
