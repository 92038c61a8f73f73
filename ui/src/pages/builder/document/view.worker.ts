/** Reads texts beside the page. */
import { view } from "./view";

self.onmessage = ({ data }: MessageEvent<string>) => self.postMessage(view(data));
