import { X } from "lucide-react";
import { useAddress } from "../../../kit/address";
import { StateBadge } from "../../../kit/badge";
import { IconButton } from "../../../kit/button";
import { Tabs } from "../../../kit/tabs";
import { useTask, useWatched } from "../use-live";
import { tookOf } from "../words";
import { About } from "./about";
import { Attempts } from "./attempts";
import { Log } from "./log";
import styles from "./panel.module.css";
import { TaskActions } from "./task-actions";

const TABS = [
  { name: "about", label: "About" },
  { name: "attempts", label: "Attempts" },
  { name: "log", label: "Log" },
] as const;
type Tab = (typeof TABS)[number]["name"];

/** One task: where it stands and why, what it saw and said, and what can be done with it. */
export function TaskPanel({ name }: { name: string }) {
  const [params, change] = useAddress();
  const { definition } = useWatched();
  const task = useTask(name);
  const close = () =>
    change({ task: undefined, panel: undefined, attempt: undefined, item: undefined });
  const asked = params.get("panel");
  const tab: Tab = TABS.find((item) => item.name === asked)?.name ?? "about";
  return (
    <aside
      className={styles.panel}
      aria-label={`Task ${name}`}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <div className={styles.head}>
        <div className={styles.title}>
          <h2>{name}</h2>
          <IconButton icon={X} label="Close the task" onClick={close} />
        </div>
        {task ? (
          <>
            <div className={styles.facts}>
              <StateBadge state={task.phase} />
              {task.plugin !== "" && <code className={styles.plugin}>{task.plugin}</code>}
              {tookOf(task) !== "" && <span>took {tookOf(task)}</span>}
              {task.stopping && <span>its end was asked for</span>}
            </div>
            <TaskActions task={task} def={definition.get(name)} />
          </>
        ) : (
          <p>This run has no such task.</p>
        )}
      </div>
      {task && (
        <Tabs
          label={`Of the task ${name}`}
          items={[...TABS]}
          current={tab}
          onChoose={(panel) => change({ panel: panel === "about" ? undefined : panel })}
        >
          <div className={styles.body}>
            {tab === "about" && <About task={task} />}
            {tab === "attempts" && <Attempts task={task} />}
            {tab === "log" && <Log task={task} />}
          </div>
        </Tabs>
      )}
    </aside>
  );
}
