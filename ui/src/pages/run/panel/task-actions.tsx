import {
  Ban,
  ListStart,
  type LucideIcon,
  RotateCcw,
  SlidersHorizontal,
  UserCheck,
} from "lucide-react";
import { type ReactNode, useState } from "react";
import { api } from "../../../api/client";
import { Button } from "../../../kit/button";
import { Confirm } from "../../../kit/dialog";
import { Check, TextArea, TextField } from "../../../kit/field";
import { useToasts } from "../../../kit/toast";
import { useMay } from "../../../shell/me";
import type { TaskDef } from "../definition";
import { type TaskAct, taskActs } from "../head/acts";
import type { TaskState } from "../model/state";
import { useWatched } from "../use-live";
import { readObject } from "../values";
import styles from "./panel.module.css";

interface Props {
  task: TaskState;
  def: TaskDef | undefined;
}

const LOOKS: Record<TaskAct, { icon: LucideIcon; label: string }> = {
  retry: { icon: RotateCcw, label: "Retry" },
  skip: { icon: ListStart, label: "Skip" },
  cancel: { icon: Ban, label: "Cancel" },
  resolve: { icon: UserCheck, label: "Resolve…" },
  amend: { icon: SlidersHorizontal, label: "Change…" },
};

/** What can be done with a task as it stands. */
export function TaskActions({ task, def }: Props) {
  const { detail, live } = useWatched();
  const may = useMay();
  const [open, setOpen] = useState<TaskAct>();
  const acts = taskActs(task.phase, live.model.head.state, detail.external != null, (permission) =>
    may(permission, detail.namespace),
  );
  if (acts.length === 0 && open === undefined) return null;
  const close = () => setOpen(undefined);
  return (
    <div className={styles.actions}>
      {acts.map((act) => (
        <Button
          key={act}
          icon={LOOKS[act].icon}
          kind={act === "cancel" ? "danger" : "plain"}
          onClick={() => setOpen(act)}
        >
          {LOOKS[act].label}
        </Button>
      ))}
      {open === "resolve" && <Resolve task={task} def={def} onClose={close} />}
      {open === "amend" && <Amend task={task} def={def} onClose={close} />}
      {(open === "retry" || open === "skip" || open === "cancel") && (
        <Simple act={open} task={task} onClose={close} />
      )}
    </div>
  );
}

const SAYS = {
  retry: (name: string, version: string) => ({
    title: `Retry ${name}?`,
    says: `It gets new attempts, and what was skipped for its sake waits for it again. If the run had failed, it goes on. All stays as version ${version} has it: a workflow that is mended is run again instead.`,
    done: "The task is tried again.",
  }),
  skip: (name: string) => ({
    title: `Skip ${name}?`,
    says: "It will not run, and whatever needs what it would have set is skipped too. The run goes on with the rest.",
    done: "The task is skipped.",
  }),
  cancel: (name: string) => ({
    title: `Cancel ${name}?`,
    says: "Its attempts are stopped and it ends as cancelled; the run goes on with what does not need it, and fails at its end.",
    done: "The task is being cancelled.",
  }),
};

function Simple(props: { act: keyof typeof SAYS; task: TaskState; onClose: () => void }) {
  const { act, task, onClose } = props;
  const { detail } = useWatched();
  const { title, says, done } = SAYS[act](task.name, detail.version);
  return (
    <Doing
      title={title}
      action={`${LOOKS[act].label} the task`}
      danger={act === "cancel"}
      says={says}
      done={done}
      withoutReason={act === "retry"}
      onClose={onClose}
      act={(path, reason) => {
        const params = { path: { ...path, task: task.name } };
        if (act === "retry") return api.POST("/api/v1/runs/{id}/tasks/{task}/retry", { params });
        const options = { params, body: { reason } };
        if (act === "skip") return api.POST("/api/v1/runs/{id}/tasks/{task}/skip", options);
        return api.POST("/api/v1/runs/{id}/tasks/{task}/cancel", options);
      }}
    />
  );
}

function Resolve({ task, def, onClose }: Props & { onClose: () => void }) {
  const names = def?.outputs ?? [];
  const [text, setText] = useState(() =>
    JSON.stringify(Object.fromEntries(names.map((name) => [name, ""])), null, 2),
  );
  const [without, setWithout] = useState(false);
  return (
    <Doing
      title={`Resolve ${task.name} by hand?`}
      action="Resolve"
      says="It counts as succeeded, with the outputs that you give here, and what waits for them goes on. It is recorded who did so and why. If the run had failed, it goes on."
      done="The task is resolved."
      onClose={onClose}
      act={(path, reason) =>
        api.POST("/api/v1/runs/{id}/tasks/{task}/resolve", {
          params: { path: { ...path, task: task.name } },
          body: {
            outputs: without ? {} : readObject(text),
            reason,
            ...(without && { without_outputs: true }),
          },
        })
      }
    >
      {!without && (
        <TextArea
          label="Outputs"
          hint="A JSON object with what the task would have set."
          wrong={wrongIn(text)}
          value={text}
          rows={6}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      <Check
        label="Without outputs: whatever waits for them is skipped"
        checked={without}
        onChange={(event) => setWithout(event.target.checked)}
      />
    </Doing>
  );
}

function Amend({ task, def, onClose }: Props & { onClose: () => void }) {
  const [most, setMost] = useState("");
  const [text, setText] = useState("");
  return (
    <Doing
      title={`Change ${task.name} before it runs?`}
      action="Change"
      says="Attempts that start from now on see these values, and there may be so many of them in all. What runs already does not change. The workflow itself stays as it is."
      done="The task is changed."
      onClose={onClose}
      act={(path) => {
        const inputs = readObject(text);
        return api.PATCH("/api/v1/runs/{id}/tasks/{task}", {
          params: { path: { ...path, task: task.name } },
          body: {
            ...(most !== "" && { max_attempts: Number(most) }),
            ...(Object.keys(inputs).length > 0 && { inputs }),
          },
        });
      }}
      withoutReason
    >
      <TextField
        label="Attempts at most"
        hint={`The first included; now ${def?.maxAttempts ?? 1}, unless it was changed before.`}
        type="number"
        min={1}
        value={most}
        onChange={(event) => setMost(event.target.value)}
      />
      {def !== undefined && def.inputs.length > 0 && (
        <TextArea
          label="Inputs"
          hint={`A JSON object with new values for any of ${def.inputs.join(", ")}`}
          wrong={wrongIn(text)}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
    </Doing>
  );
}

interface DoingProps {
  title: string;
  action: string;
  danger?: boolean;
  says: string;
  done: string;
  withoutReason?: boolean;
  act: (path: { id: string }, reason: string) => Promise<unknown>;
  onClose: () => void;
  children?: ReactNode;
}

/** Says what is about to be done, asks for a reason, does it and tells. */
function Doing(props: DoingProps) {
  const { title, action, danger, says, done, withoutReason, act, onClose, children } = props;
  const { detail, live } = useWatched();
  const tell = useToasts();
  const [reason, setReason] = useState("");
  const confirm = async () => {
    await act({ id: detail.id }, reason);
    tell.done(done);
    await live.reload();
  };
  return (
    <Confirm
      title={title}
      action={action}
      danger={danger === true}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>{says}</p>
      {children}
      {!withoutReason && (
        <TextField
          label="Reason"
          hint="It is recorded."
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      )}
    </Confirm>
  );
}

function wrongIn(text: string): string | undefined {
  try {
    readObject(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
