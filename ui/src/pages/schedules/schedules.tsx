import { useQuery } from "@tanstack/react-query";
import { CalendarClock, Plus } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api, data } from "../../api/client";
import { all, useNamespaces } from "../../api/lists";
import { useLive } from "../../api/live";
import { Button } from "../../kit/button";
import { Tag } from "../../kit/facts";
import { Choice, FilterBar, matches, SearchBox, useAddress } from "../../kit/filters";
import { Card, Page, Table } from "../../kit/page";
import { Empty, Failure, Loading } from "../../kit/states";
import { When } from "../../kit/time";
import { useMay } from "../../shell/me";
import { Actions } from "./actions";
import { ScheduleForm } from "./form";
import styles from "./schedules.module.css";
import { type Schedule, timingText } from "./spec";
import { Upcoming } from "./upcoming";

/** What starts runs by the clock. */
export default function Schedules() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const [search, setSearch] = useAddress("search");
  const [namespace, setNamespace] = useAddress("namespace");
  const namespaces = useNamespaces();
  const list = useQuery({
    queryKey: ["schedules", namespace],
    queryFn: () =>
      all((query) =>
        data(
          api.GET("/api/v1/schedules", {
            params: { query: { ...query, ...(namespace && { namespace }) } },
          }),
        ),
      ),
    // Ticks pass without an event.
    refetchInterval: 10_000,
  });
  useLive({ types: ["run.started", "run.finished"] }, ["schedules", namespace], 2000);
  const items = list.data?.items ?? [];
  const found = items.filter((it) => matches(search, it.name, it.description, it.run.workflow));
  const make = may("schedules:write") && may("runs:start") && (
    <Button kind="primary" icon={Plus} onClick={() => setMaking(true)}>
      New schedule
    </Button>
  );
  return (
    <Page title="Schedules" actions={items.length > 0 && make}>
      {(items.length > 0 || namespace !== "") && (
        <FilterBar>
          <SearchBox label="Search schedules" value={search} onChange={setSearch} />
          {namespaces.length > 1 && (
            <Choice
              label="Namespace"
              all="All"
              value={namespace}
              options={namespaces}
              onChange={setNamespace}
            />
          )}
        </FilterBar>
      )}
      <Card>
        {list.isPending && <Loading what="schedules" />}
        {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.data && items.length === 0 && (
          <Empty icon={CalendarClock} title="Nothing is scheduled">
            <p>
              A schedule starts runs of a workflow by a cron expression, at equal distances, or
              once.
            </p>
            {make}
          </Empty>
        )}
        {items.length > 0 && found.length === 0 && (
          <Empty icon={CalendarClock} title="No schedule is like that" />
        )}
        {found.length > 0 && <List of={found} />}
      </Card>
      <Upcoming of={found} />
      {making && <ScheduleForm onClose={() => setMaking(false)} />}
    </Page>
  );
}

function List({ of }: { of: Schedule[] }) {
  const hidden = <span className="visually-hidden">Actions</span>;
  return (
    <Table caption="Schedules" head={["Schedule", "Ticks", "Next", "Last run", "So far", hidden]}>
      {of.map((it) => (
        <tr key={it.name}>
          <td className={styles.main}>
            <strong>{it.name}</strong> {it.paused && <Tag tone="paused">Paused</Tag>}
            {it.active.length > 0 && <Tag tone="running">{it.active.length} under way</Tag>}
            <p>
              runs{" "}
              <Link to={`/workflows/${it.namespace}/${it.run.workflow}`}>{it.run.workflow}</Link>
              {it.description && `: ${it.description}`}
            </p>
            {it.problem && <p className={styles.problem}>{it.problem}</p>}
          </td>
          <td className={styles.soft}>{timingText(it.timing)}</td>
          <td className={styles.soft}>
            {it.paused ? "–" : it.next_at ? <When at={it.next_at} /> : "it is over"}
          </td>
          <td className={styles.soft}>
            {it.last ? (
              <Link to={`/runs/${it.last.run}`}>
                <When at={it.last.tick} />
              </Link>
            ) : (
              "–"
            )}
          </td>
          <td className={styles.soft}>{soFar(it)}</td>
          <td className={styles.actions}>
            <Actions of={it} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function soFar({ counts }: Schedule): string {
  const parts = [
    `${counts.fired} fired`,
    counts.skipped > 0 && `${counts.skipped} skipped`,
    counts.missed > 0 && `${counts.missed} missed`,
    counts.refused > 0 && `${counts.refused} refused`,
  ];
  return parts.filter(Boolean).join(", ");
}
