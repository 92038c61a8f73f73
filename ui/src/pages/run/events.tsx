import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Activity } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { api, data } from "../../api/client";
import { follow } from "../../api/stream";
import { useAddress } from "../../kit/address";
import { StateIcon } from "../../kit/badge";
import { Check } from "../../kit/field";
import { Scroll } from "../../kit/scroll";
import { Empty, Failure } from "../../kit/states";
import { duration } from "../../kit/time";
import { eventSays, eventState } from "./event-words";
import styles from "./lists.module.css";
import type { RunEvent } from "./model/state";
import { useWatched } from "./use-live";
import { counted } from "./words";

/** Events that are kept here; the newest ones. */
const EVENTS_MOST = 50_000;
const ROW = 34;

/** Everything that happened, in order. */
export default function Events({ onSelect }: { onSelect: (task: string) => void }) {
  const [params, change] = useAddress();
  const type = params.get("type") ?? "";
  const catalog = useQuery({
    queryKey: ["events", "catalog"],
    queryFn: () => data(api.GET("/api/v1/events/catalog")),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const types = catalog.data?.types.map((one) => one.type) ?? [];
  const { events, dropped, error } = useAllEvents(type);
  const [open, setOpen] = useState<number>();
  const [follows, setFollows] = useState(true);
  const box = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    getItemKey: (at) => events[at]?.seq ?? at,
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what came is what is gone to
  useEffect(() => {
    if (follows && events.length > 0) rows.scrollToIndex(events.length - 1);
  }, [follows, events]);
  const first = useWatched().live.model.head.startedAt ?? Date.parse(events[0]?.at ?? "");
  return (
    <div className={styles.list}>
      <div className={styles.tools}>
        <select
          className={styles.choice}
          aria-label="Type of events"
          value={type}
          onChange={(event) => change({ type: event.target.value || undefined })}
        >
          <option value="">All events</option>
          <option value="run.*">Of the run</option>
          <option value="task.*">Of tasks</option>
          {types.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <Check
          label="Follow"
          checked={follows}
          onChange={(event) => setFollows(event.target.checked)}
        />
        <span role="status">{counted(events.length, "event")}</span>
        {dropped > 0 && <span>{counted(dropped, "older one")} are left out: choose a type.</span>}
      </div>
      {error && <Failure error={error} />}
      {!error && events.length === 0 && (
        <Empty icon={Activity} title="No such event so far">
          <p>Events appear here as they become durable.</p>
        </Empty>
      )}
      {events.length > 0 && (
        <Scroll
          ref={box}
          className={styles.box}
          label="Events"
          onWheel={(event) => {
            if (event.deltaY < 0) setFollows(false);
          }}
        >
          <ul style={{ height: rows.getTotalSize(), position: "relative" }}>
            {rows.getVirtualItems().map((row) => {
              const event = events[row.index];
              return (
                event && (
                  <li
                    key={row.key}
                    ref={rows.measureElement}
                    data-index={row.index}
                    className={styles.item}
                    style={{ transform: `translateY(${row.start}px)` }}
                  >
                    <Row
                      event={event}
                      first={first}
                      open={open === event.seq}
                      onToggle={() => {
                        setFollows(false);
                        setOpen(open === event.seq ? undefined : event.seq);
                      }}
                      onSelect={onSelect}
                    />
                  </li>
                )
              );
            })}
          </ul>
        </Scroll>
      )}
    </div>
  );
}

interface RowProps {
  event: RunEvent;
  first: number;
  open: boolean;
  onToggle: () => void;
  onSelect: (task: string) => void;
}

function Row({ event, first, open, onToggle, onSelect }: RowProps) {
  const after = Math.max(0, Date.parse(event.at) - first);
  return (
    <>
      <div className={styles.event}>
        <button type="button" className={styles.fold} aria-expanded={open} onClick={onToggle}>
          <span className={styles.seq}>{event.seq}</span>
          <time dateTime={event.at} title={event.at} className={styles.after}>
            +{duration(after)}
          </time>
          <StateIcon state={eventState(event)} size={14} still />
          <code>{event.type}</code>
        </button>
        {"task" in event && (
          <button type="button" className={styles.link} onClick={() => onSelect(event.task)}>
            {event.task}
            {"item" in event && event.item != null && `[${event.item}]`}
          </button>
        )}
        <span className={styles.says}>{eventSays(event)}</span>
      </div>
      {open && (
        <Scroll label={`Event ${event.seq}`} className={styles.value}>
          <pre>{JSON.stringify(event, null, 2)}</pre>
        </Scroll>
      )}
    </>
  );
}

/** All events of the run, of one type if it is given, from the first on. */
function useAllEvents(type: string) {
  const { detail } = useWatched();
  const [all, setAll] = useState<{ events: RunEvent[]; dropped: number }>(NOTHING);
  const [error, setError] = useState<Error>();
  useEffect(() => {
    setAll(NOTHING);
    setError(undefined);
    let waiting: RunEvent[] = [];
    let frame = 0;
    const show = () => {
      cancelAnimationFrame(frame);
      frame = 0;
      const came = waiting;
      waiting = [];
      setAll((before) => {
        const events = [...before.events, ...came];
        const over = Math.max(0, events.length - EVENTS_MOST);
        return { events: over > 0 ? events.slice(over) : events, dropped: before.dropped + over };
      });
    };
    const query = type === "" ? "" : `?types=${encodeURIComponent(type)}`;
    const end = follow(`/api/v1/runs/${detail.id}/events${query}`, {
      onMessages: (messages) => {
        for (const { data } of messages) waiting.push(JSON.parse(data) as RunEvent);
        if (document.hidden || waiting.length > 5000) show();
        else frame ||= requestAnimationFrame(show);
      },
      onRefused: setError,
    });
    return () => {
      end();
      cancelAnimationFrame(frame);
    };
  }, [detail.id, type]);
  return { ...all, error };
}

const NOTHING = { events: [], dropped: 0 };
