import { useInfiniteQuery } from "@tanstack/react-query";
import { ScrollText } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { api, data, type Schema } from "../../api/client";
import { Button } from "../../kit/button";
import { More, Tag } from "../../kit/facts";
import { Select, TextField } from "../../kit/field";
import { FilterBar, useAddress } from "../../kit/filters";
import { Card, Page, Table } from "../../kit/page";
import { Empty, Failure, Loading } from "../../kit/states";
import { When } from "../../kit/time";
import type { Tone } from "../../kit/tone";
import styles from "./audit.module.css";
import { filterOf, targetOf } from "./filter";

type Entry = Schema<"AuditEntry">;

const OUTCOMES: Record<Schema<"AuditOutcome">, [string, Tone]> = {
  done: ["Done", "succeeded"],
  refused: ["Refused", "paused"],
  forbidden: ["Forbidden", "failed"],
  failed: ["Failed", "failed"],
};
const NAMES = ["who", "action", "outcome", "target", "since", "until"] as const;

/** What was changed, by whom, and what came of it. */
export default function Audit() {
  const [params, setParams] = useSearchParams();
  const filter = filterOf(Object.fromEntries(NAMES.map((name) => [name, params.get(name) ?? ""])));
  const log = useInfiniteQuery({
    queryKey: ["audit", filter],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/audit", {
          params: { query: { ...filter, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const entries = log.data?.pages.flatMap(({ items }) => items) ?? [];
  const narrowed = Object.keys(filter).length > 0;
  return (
    <Page title="Audit log">
      <Filters />
      <Card>
        {log.isPending && <Loading what="the audit log" />}
        {log.error && <Failure error={log.error} retry={() => void log.refetch()} />}
        {log.data && entries.length === 0 && !log.hasNextPage && (
          <Empty
            icon={ScrollText}
            title={narrowed ? "No entry is like that" : "Nothing was changed yet"}
          >
            {narrowed ? (
              <Button onClick={() => setParams({}, { replace: true })}>Show all</Button>
            ) : (
              <p>Every change that somebody asks for is recorded here, with what came of it.</p>
            )}
          </Empty>
        )}
        {entries.length > 0 && <Entries of={entries} />}
        <More
          more={log.hasNextPage}
          busy={log.isFetchingNextPage}
          onMore={() => void log.fetchNextPage()}
        />
      </Card>
    </Page>
  );
}

function Filters() {
  const [who, setWho] = useAddress("who");
  const [action, setAction] = useAddress("action");
  const [target, setTarget] = useAddress("target");
  const [outcome, setOutcome] = useAddress("outcome");
  const [since, setSince] = useAddress("since");
  const [until, setUntil] = useAddress("until");
  const text = (label: string, placeholder: string, value: string, set: (to: string) => void) => (
    <TextField
      label={label}
      placeholder={placeholder}
      value={value}
      onChange={(event) => set(event.target.value)}
    />
  );
  const time = (label: string, value: string, set: (to: string) => void) => (
    <TextField
      label={label}
      type="datetime-local"
      value={value}
      onChange={(event) => set(event.target.value)}
    />
  );
  return (
    <FilterBar>
      <div className={styles.filters}>
        {text("Who", "a token's name", who, setWho)}
        {text("What", "runs:cancel", action, setAction)}
        {text("To what", "a name or identity", target, setTarget)}
        {time("Since", since, setSince)}
        {time("Until", until, setUntil)}
        <Select
          label="Outcome"
          value={outcome}
          onChange={(event) => setOutcome(event.target.value)}
        >
          <option value="">All</option>
          {Object.entries(OUTCOMES).map(([value, [label]]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      </div>
    </FilterBar>
  );
}

function Entries({ of }: { of: Entry[] }) {
  return (
    <Table caption="Audit log" head={["When", "Who", "What", "To what", "Outcome", "From"]}>
      {of.map((it) => (
        <tr key={it.id}>
          <td className={styles.soft}>
            <When at={it.at} />
          </td>
          <td>{it.who}</td>
          <td>
            <Link to={`?action=${encodeURIComponent(it.action)}`}>{it.action}</Link>
            <code className={styles.call}>{it.call}</code>
          </td>
          <td className={styles.target}>
            <Target of={it} />
          </td>
          <td className={styles.soft}>
            <Tag tone={OUTCOMES[it.outcome][1]}>{OUTCOMES[it.outcome][0]}</Tag>
            {it.status > 0 && ` ${it.status}`}
          </td>
          <td className="mono">{it.from || "command line"}</td>
        </tr>
      ))}
    </Table>
  );
}

function Target({ of }: { of: Entry }) {
  const { text, to } = targetOf(of);
  if (!to) return text;
  return <Link to={to}>{text}</Link>;
}
