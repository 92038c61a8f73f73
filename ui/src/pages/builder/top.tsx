import {
  ChevronUp,
  CircleAlert,
  CircleCheck,
  FilePlus2,
  FolderOpen,
  History,
  LoaderCircle,
  Save,
  TriangleAlert,
} from "lucide-react";
import { Button } from "../../kit/button";
import { Prose } from "../../kit/prose";
import { Banner } from "../../kit/states";
import { ago } from "../../kit/time";
import { useMay } from "../../shell/me";
import styles from "./builder.module.css";
import type { Places } from "./canvas/places";
import { ProblemList } from "./panel/problem-list";
import { useBench } from "./state/bench";
import { ExportMenu } from "./state/export-menu";
import type { Checked } from "./state/problems";
import type { Saved } from "./workbench";

/** What is open, and what can be done with the whole of it. */
export function Top(props: {
  saved: Saved | undefined;
  dirty: boolean;
  places: Places;
  onOpen: (way: "registered" | "template") => void;
  onSave: () => void;
}) {
  const { saved, dirty, places, onOpen, onSave } = props;
  const { view, sound } = useBench();
  const may = useMay();
  const state = saved ? (dirty ? "unsaved changes" : "saved") : "not saved yet";
  return (
    <header className={styles.top}>
      <div className={styles.title}>
        <h1>{view.name || "(no name)"}</h1>
        <p>
          {view.namespace} · {view.version} ·{" "}
          <span role="status" data-dirty={dirty || !saved}>
            {state}
          </span>
        </p>
      </div>
      <div className={styles.actions}>
        <Button icon={FilePlus2} kind="quiet" onClick={() => onOpen("template")}>
          New
        </Button>
        <Button icon={FolderOpen} kind="quiet" onClick={() => onOpen("registered")}>
          Open
        </Button>
        <ExportMenu places={places} saved={saved && !dirty ? saved : undefined} />
        {may("workflows:register", view.namespace) && (
          <Button
            icon={Save}
            title="Save as a version (Ctrl+S)"
            disabled={!sound || (saved !== undefined && !dirty)}
            onClick={onSave}
          >
            Save
          </Button>
        )}
      </div>
    </header>
  );
}

/** Work that was left unsaved, to be taken up again or not. */
export function Offer(props: { at: number; onRestore: () => void; onDrop: () => void }) {
  return (
    <div className={styles.offer}>
      <Banner tone="paused" icon={History}>
        <div className={styles.offerBody}>
          <span>There is work from {ago(props.at, Date.now())} that was not saved.</span>
          <Button onClick={props.onRestore}>Restore it</Button>
          <Button kind="quiet" onClick={props.onDrop}>
            Drop it
          </Button>
        </div>
      </Banner>
    </div>
  );
}

/** How the document stands, and what is wrong with it. */
export function ProblemBar({ checked }: { checked: Checked }) {
  const { problems, settled } = checked;
  const { view, sound } = useBench();
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  if (sound && view.tasks.length === 0) {
    return <div className={styles.problemBar}>A workflow begins with its first task.</div>;
  }
  if (problems.length === 0) {
    return (
      <div className={styles.problemBar} role="status" data-tone={settled ? "good" : undefined}>
        {settled ? <CircleCheck size={15} aria-hidden /> : <LoaderCircle size={15} aria-hidden />}
        {settled ? "No problems" : "Checking…"}
      </div>
    );
  }
  return (
    <details className={styles.problemBar} data-tone={errors > 0 ? "bad" : "doubtful"}>
      <summary>
        {errors > 0 ? (
          <CircleAlert size={15} aria-hidden />
        ) : (
          <TriangleAlert size={15} aria-hidden />
        )}
        <span role="status">
          {[counted(errors, "error"), counted(warnings, "warning")].filter(Boolean).join(", ")}
        </span>
        <span className={styles.firstProblem}>
          {problems[0]?.task?.name && <strong>{problems[0].task.name}: </strong>}
          <Prose text={problems[0]?.message ?? ""} />
        </span>
        <ChevronUp size={15} aria-hidden />
      </summary>
      <ProblemList problems={problems} />
    </details>
  );
}

function counted(count: number, word: string): string {
  return count === 0 ? "" : `${count} ${word}${count === 1 ? "" : "s"}`;
}
