/** Follows a run, and gathers what comes together within a frame. */

import { useEffect, useState } from "react";
import { follow, type Message } from "../../../api/stream";
import { type LiveRun, told, unstarted } from "./live";

export function useLive(id: string | undefined): LiveRun | undefined {
  const [run, setRun] = useState<LiveRun>();
  useEffect(() => {
    setRun(id === undefined ? undefined : unstarted(id));
    if (id === undefined) return;
    let waiting: Message[] = [];
    let frame = 0;
    const show = () => {
      frame = 0;
      const events = waiting.map(({ data }) => JSON.parse(data));
      waiting = [];
      setRun((before) => before && told(before, events));
    };
    const end = follow(`/api/v1/runs/${encodeURIComponent(id)}/events`, {
      onMessages: (messages) => {
        waiting.push(...messages);
        // A tab that nobody sees has no frames: what waits is shown with the next that comes.
        frame ||= requestAnimationFrame(show);
      },
    });
    return () => {
      end();
      cancelAnimationFrame(frame);
    };
  }, [id]);
  return run;
}
