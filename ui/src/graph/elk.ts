/** The layout engine, in a worker beside the page. */

import ELK from "elkjs/lib/elk-api.js";
import source from "elkjs/lib/elk-worker.min.js?url";

export type { ElkNode } from "elkjs/lib/elk-api.js";

/** One worker for all layouts: it is large, and is read once. */
let elk: InstanceType<typeof ELK> | undefined;

/** The engine; the first call gets its worker ready. */
export function layouter(): InstanceType<typeof ELK> {
  elk ??= new ELK({ workerFactory: () => new Worker(source) });
  return elk;
}
