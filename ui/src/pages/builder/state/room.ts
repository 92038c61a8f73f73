/** How much room there is for the parts of the builder. */

import { useEffect, useState } from "react";

/** Below this width there is room for one part at a time. */
const NARROW = "(max-width: 860px)";

/** Whether one part is shown at a time. */
export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const listen = () => setNarrow(media.matches);
    listen();
    media.addEventListener("change", listen);
    return () => media.removeEventListener("change", listen);
  }, []);
  return narrow;
}
