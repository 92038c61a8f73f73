/** Lays a scene out: small ones thoroughly, large ones at once. */

import { useEffect, useState } from "react";
import { isSmall, type Placed, placeByLevels } from "./place";
import type { Scene } from "./scene";

export function usePlaced(scene: Scene): Placed | undefined {
  const [placed, setPlaced] = useState<{ of: Scene; placed: Placed }>();
  useEffect(() => {
    const stop = new AbortController();
    const show = (placed: Placed) => {
      if (!stop.signal.aborted) setPlaced({ of: scene, placed });
    };
    if (!isSmall(scene)) show(placeByLevels(scene));
    else {
      import("./elk")
        .then((elk) => elk.placeThoroughly(scene, stop.signal))
        // Where no worker may be had, the plain layout will do.
        .catch(() => placeByLevels(scene))
        .then(show);
    }
    return () => stop.abort();
  }, [scene]);
  // The last one stays in sight until the next is there.
  return placed?.placed;
}
