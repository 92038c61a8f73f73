import {
  ChevronRight,
  CloudOff,
  Copy,
  GitBranch,
  Hammer,
  Hourglass,
  PlugZap,
  Tag,
  UserRound,
} from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { StateBadge } from "../../../kit/badge";
import { IconButton } from "../../../kit/button";
import { LinkButton } from "../../../kit/link";
import { Banner } from "../../../kit/states";
import { duration, useNow, When } from "../../../kit/time";
import { useToasts } from "../../../kit/toast";
import { hasEnded } from "../model/state";
import { useRevision, useWatched } from "../use-live";
import { counted } from "../words";
import type { RunAct } from "./acts";
import { Failed } from "./failed";
import styles from "./head.module.css";
import { Progress } from "./progress";
import { RunActions } from "./run-actions";
import { useVersions } from "./use-versions";

/** What a run is, where it stands, and what can be done. */
export function Header() {
  const { detail, live } = useWatched();
  useRevision(live);
  const { head } = live.model;
  const tell = useToasts();
  const { builder } = useVersions();
  const [act, setAct] = useState<RunAct>();
  const copy = async () => {
    await navigator.clipboard.writeText(detail.id);
    tell.done("The run's identity is in the clipboard.");
  };
  const workflow = `/workflows/${detail.namespace}/${encodeURIComponent(detail.workflow)}`;
  return (
    <header className={styles.head}>
      <nav aria-label="Way" className={styles.way}>
        <Link to="/runs">Runs</Link>
        <ChevronRight size={13} aria-hidden />
        <code>{detail.id}</code>
        <IconButton icon={Copy} label="Copy the run's identity" onClick={() => void copy()} />
      </nav>
      <div className={styles.top}>
        <div className={styles.title}>
          <h1>
            <Link to={workflow}>{detail.workflow}</Link>
          </h1>
          <span className={styles.version}>{detail.version}</span>
          <StateBadge state={head.state} />
          {builder && (
            <LinkButton
              icon={Hammer}
              kind="quiet"
              label="Open the workflow in the builder"
              to={builder}
            />
          )}
          {head.stopping !== undefined && !hasEnded(head.state) && (
            <span className={styles.soft}>{head.stopping} asked for its end</span>
          )}
        </div>
        <RunActions open={act} onOpen={setAct} />
      </div>
      <Facts />
      <Progress />
      {head.state === "failed" && <Failed onRerun={() => setAct("rerun")} />}
      <Remarks />
    </header>
  );
}

function Facts() {
  const { detail, live } = useWatched();
  const { head } = live.model;
  return (
    <ul className={styles.facts}>
      <li>
        {detail.started_at ? "Started " : "Accepted "}
        <When at={detail.started_at ?? detail.created_at} />
      </li>
      {head.startedAt !== undefined && (
        <li>
          {head.finishedAt === undefined ? "Runs for " : "Took "}
          <strong>
            <Took from={head.startedAt} to={head.finishedAt} />
          </strong>
        </li>
      )}
      <li>{counted(detail.workers, "worker")}</li>
      {detail.initiator && (
        <Fact icon={<UserRound size={14} aria-label="Started by" />}>
          {detail.initiator}
          {detail.source && ` over ${detail.source}`}
        </Fact>
      )}
      {detail.namespace !== "default" && <li>in {detail.namespace}</li>}
      {detail.rerun_of && (
        <Fact icon={<GitBranch size={14} aria-hidden />}>
          <Link to={`/runs/${detail.rerun_of}`}>repeats …{detail.rerun_of.slice(-6)}</Link>
        </Fact>
      )}
      {detail.reason && <li>“{detail.reason}”</li>}
      {detail.tags?.map((tag) => (
        <li key={tag}>
          <Link className={styles.tag} to={`/runs?tag=${encodeURIComponent(tag)}`}>
            <Tag size={12} aria-label="Tag" /> {tag}
          </Link>
        </li>
      ))}
      {Object.entries(detail.annotations ?? {}).map(([key, value]) => (
        <li key={key} className={styles.note}>
          {key}: {value}
        </li>
      ))}
    </ul>
  );
}

function Fact({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <li className={styles.fact}>
      {icon}
      <span>{children}</span>
    </li>
  );
}

function Took({ from, to }: { from: number; to: number | undefined }) {
  const now = useNow(to === undefined ? 1000 : 3_600_000);
  return duration(Math.max(0, (to ?? now) - from));
}

/** What one has to know besides. */
function Remarks() {
  const { detail, live } = useWatched();
  const { state } = live.model.head;
  return (
    <>
      {live.stream === "away" && (
        <Banner tone="paused" icon={PlugZap}>
          The server is away; this shows what was known last, and goes on by itself.
        </Banner>
      )}
      {detail.external && (
        <Banner tone="waiting" icon={CloudOff}>
          {detail.external} executes this run and only reports it here.
        </Banner>
      )}
      {state === "running" && !detail.alive && !detail.external && (
        <Banner tone="paused" icon={CloudOff}>
          Nobody works on this run: the process that had it has ended.{" "}
          <code>loom resume {detail.id}</code> goes on with it.
        </Banner>
      )}
      {state === "queued" && detail.waits && (
        <Banner tone="waiting" icon={Hourglass}>
          It waits for the limit {detail.waits.limit}: place {detail.waits.place} of{" "}
          {detail.waits.line} in line.
        </Banner>
      )}
      {state === "queued" && !detail.waits && detail.start_at && (
        <Banner tone="waiting" icon={Hourglass}>
          It begins <When at={detail.start_at} />.
        </Banner>
      )}
    </>
  );
}
