/** Lays a scene out: small ones thoroughly, large ones at once. */

import { useEffect, useState } from "react";
import { isSmall, type Placed, placeByLevels } from "./place";
import type { Scene } from "./scene";

// It is on its way while the run still is.
const layout = import("./thorough");

export function usePlaced(scene: Scene): Placed | undefined {
  // The last one stays in sight until the next is there.
  const [placed, setPlaced] = useState<Placed>();
  useEffect(() => {
    let wanted = true;
    const show = (placed: Placed) => {
      if (wanted) setPlaced(placed);
    };
    if (!isSmall(scene)) show(placeByLevels(scene));
    else {
      layout
        .then((thorough) => thorough.placeThoroughly(scene))
        // Where no worker may be had, the plain layout will do.
        .catch(() => placeByLevels(scene))
        .then(show);
    }
    return () => {
      wanted = false;
    };
  }, [scene]);
  return placed;
}
