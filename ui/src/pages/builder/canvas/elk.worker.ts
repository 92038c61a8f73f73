// The layouter's own worker script, as part of ours.
import "elkjs/lib/elk-worker.min.js";
