import { lazy, Suspense, useMemo } from "react";
import { useParams } from "react-router";
import { useAddress } from "../../kit/address";
import { useTitle } from "../../kit/page";
import { Loading } from "../../kit/states";
import { Tabs } from "../../kit/tabs";
import { Unshown } from "../../kit/unshown";
import { Header } from "./head/header";
import { TaskPanel } from "./panel/task-panel";
import styles from "./run.module.css";
import { useDotted } from "./use-document";
import { useRun, useWatched, type Watched, WatchedRun } from "./use-live";

// What most come for is on its way while the run still is.
const graph = import("./graph/graph");
const Graph = lazy(() => graph);
const Timeline = lazy(() => import("./timeline/timeline"));
const Variables = lazy(() => import("./variables"));
const Events = lazy(() => import("./events"));
const Text = lazy(() => import("./text"));

const TABS = [
  { name: "graph", label: "Graph" },
  { name: "timeline", label: "Timeline" },
  { name: "variables", label: "Variables" },
  { name: "events", label: "Events" },
  { name: "text", label: "Text" },
] as const;
type Tab = (typeof TABS)[number]["name"];

/** A run: where it stands, how it got there, and what can be done about it. */
export default function Run() {
  const { id = "" } = useParams();
  const { run, error, retry } = useRun(id);
  if (error) {
    return (
      <Unshown
        what="run"
        name={id}
        error={error}
        retry={retry}
        perhaps="Its address may be cut short, or the run was deleted: those that ended long ago are, if somebody set that up."
        all="/runs"
      />
    );
  }
  if (!run) return <Arriving />;
  return <Shown run={run} />;
}

function Arriving() {
  useTitle("Run");
  return <Loading what="the run" />;
}

function Shown({ run }: { run: Watched }) {
  useTitle(`${run.detail.workflow} · ${run.detail.id.slice(-6)}`);
  const [params, change] = useAddress();
  const asked = params.get("tab");
  const tab: Tab = TABS.find((item) => item.name === asked)?.name ?? "graph";
  const task = params.get("task") ?? undefined;
  return (
    <WatchedRun value={run}>
      <div className={styles.run}>
        <Header />
        <div className={styles.below}>
          <div className={styles.views}>
            <Tabs
              label="Views of the run"
              items={[...TABS]}
              current={tab}
              onChoose={(name) => change({ tab: name === "graph" ? undefined : name })}
            >
              <div className={styles.view}>
                <Suspense fallback={<Loading what="the view" />}>
                  <View tab={tab} task={task} />
                </Suspense>
              </div>
            </Tabs>
          </div>
          {task !== undefined && <TaskPanel key={task} name={task} />}
        </div>
      </div>
    </WatchedRun>
  );
}

function View({ tab, task }: { tab: Tab; task: string | undefined }) {
  const [params, change] = useAddress();
  const { live } = useWatched();
  const select = useMemo(
    () => (name: string) => {
      if (live.task(name)) change({ task: name, attempt: undefined, item: undefined }, true);
    },
    [live, change],
  );
  const open = useMemo(() => (groups: string[]) => change({ open: groups }), [change]);
  const dotted = useDotted();
  switch (tab) {
    case "timeline":
      return <Timeline selected={task} onSelect={select} />;
    case "variables":
      return <Variables onSelect={select} />;
    case "events":
      return <Events onSelect={select} />;
    case "text":
      return <Text selected={task} />;
    default:
      return (
        <Graph
          selected={task}
          onSelect={select}
          open={params.getAll("open")}
          onOpen={open}
          dotted={dotted}
        />
      );
  }
}
