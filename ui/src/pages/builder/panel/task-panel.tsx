import { ArrowDown, ArrowUp, Copy, Trash2 } from "lucide-react";
import { StateBadge } from "../../../kit/badge";
import { IconButton } from "../../../kit/button";
import { kindOf } from "../canvas/look";
import { addTasks, freeName, moveTask, set } from "../document/change";
import type { Json } from "../document/json";
import { VARIABLE } from "../document/variable";
import { mapOf, type Task, textOf, textsOf } from "../document/view";
import { useBench } from "../state/bench";
import {
  CheckValue,
  ChoiceValue,
  mapValue,
  NamesValue,
  NumberValue,
  TextValue,
  YamlValue,
} from "./fields";
import { Announcements, Notes, Promises } from "./more";
import styles from "./panel.module.css";
import { ProblemList } from "./problem-list";
import type { Schema } from "./schema";
import { SchemaForm } from "./schema-form";
import { type Part, Section } from "./section";

const OUTPUT = /^(\*|[A-Za-z_][A-Za-z0-9_]*\??)$/;

/** Everything that a task can have. */
export function TaskPanel({ task }: { task: Task }) {
  const { change, sound, plugins, problems, rename, view } = useBench();
  const { value, index } = task;
  const plugin = plugins.find(({ name }) => name === task.plugin);
  const disabled = !sound;
  const put = (keys: (string | number)[], next: Json | undefined) =>
    change(set(["tasks", index, ...keys], next), `${index}.${keys.join(".")}`);
  const taken = view.tasks.some(({ name, id }) => name === task.name && id !== task.id);
  const own = problems.filter((problem) => problem.task?.index === index);
  return (
    <>
      <Head task={task} />
      {own.length > 0 && <ProblemList problems={own} ofOne />}
      <LastRun task={task} />
      <div className={styles.fields}>
        <TextValue
          label="Name"
          value={task.name}
          disabled={disabled}
          wrong={taken ? "Another task has this name." : undefined}
          onCommit={(name) => name && rename(task, name)}
        />
        <ChoiceValue
          label="Plugin"
          value={task.plugin}
          choices={[...new Set([...plugins.map(({ name }) => name), task.plugin])].filter(Boolean)}
          unset="Choose…"
          disabled={disabled}
          onCommit={(name) => name && put(["plugin"], name)}
        />
        <TextValue
          label="Description"
          value={textOf(value.description)}
          disabled={disabled}
          onCommit={(text) => put(["description"], text)}
        />
      </div>
      <Section title="Parameters" open>
        <SchemaForm
          schema={plugin?.params_schema as Schema | undefined}
          value={mapValue(value.params)}
          disabled={disabled}
          onCommit={(key, next) => put(["params", key], next)}
          onCommitAll={(next) => put(["params"], next)}
        />
      </Section>
      <Variables task={task} put={put} disabled={disabled} />
      <Flow task={task} put={put} disabled={disabled} />
      <Execution task={task} put={put} disabled={disabled} />
      <Permissions task={task} put={put} disabled={disabled} />
      <Failing task={task} put={put} disabled={disabled} />
      <Promises task={task} put={put} disabled={disabled} />
      <Announcements task={task} put={put} disabled={disabled} />
      <Notes task={task} put={put} disabled={disabled} />
    </>
  );
}

function Head({ task }: { task: Task }) {
  const { change, removeTasks, view, sound, select } = useBench();
  const { icon: Icon, about } = kindOf(task.plugin);
  const duplicate = () => {
    const name = freeName(new Set(view.tasks.map(({ name }) => name)), task.name);
    change(addTasks([{ ...task.value, name }], task.index + 1));
    select([name]);
  };
  return (
    <div className={styles.head}>
      <Icon size={18} aria-hidden />
      <div>
        <h2>{task.name || "(no name)"}</h2>
        <p>{about}</p>
      </div>
      <div className={styles.headTools}>
        <IconButton
          icon={ArrowUp}
          label="Earlier in the text"
          disabled={!sound || task.index === 0}
          onClick={() => change(moveTask(task.index, task.index - 1))}
        />
        <IconButton
          icon={ArrowDown}
          label="Later in the text"
          disabled={!sound || task.index === view.tasks.length - 1}
          onClick={() => change(moveTask(task.index, task.index + 1))}
        />
        <IconButton icon={Copy} label="Duplicate" disabled={!sound} onClick={duplicate} />
        <IconButton
          icon={Trash2}
          label="Delete"
          disabled={!sound}
          onClick={() => removeTasks([task.id])}
        />
      </div>
    </div>
  );
}

function LastRun({ task }: { task: Task }) {
  const { live } = useBench();
  const found = live?.tasks.get(task.name);
  if (!found) return null;
  return (
    <div className={styles.last}>
      <span className={styles.lastHead}>
        In this run <StateBadge state={found.state} />
      </span>
      {found.why && (
        <>
          <p>{found.why.message}</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys */}
          {found.why.tail.length > 0 && <pre tabIndex={0}>{found.why.tail.join("\n")}</pre>}
        </>
      )}
    </div>
  );
}

function Variables({ task, put, disabled }: Part) {
  const { view, plugins, askName } = useBench();
  const rename = (name: string) => askName([name.replace(/\?$/, "")]);
  const emits = plugins.find(({ name }) => name === task.plugin)?.outputs ?? [];
  return (
    <Section title="Variables" open>
      <NamesValue
        label="Inputs"
        hint="It starts once all of them are set."
        value={textsOf(task.value.inputs)}
        offers={view.variables}
        onRename={rename}
        pattern={VARIABLE}
        placeholder="Add a variable"
        disabled={disabled}
        onCommit={(names) => put(["inputs"], names)}
      />
      <NamesValue
        label="Outputs"
        hint={
          <>
            {task.plugin === "cmd" && (
              <>
                The command sets one by printing <code>{printed(task)}=…</code> on a line of its
                own.{" "}
              </>
            )}
            NAME? may be left unset, * is whatever it sets.
          </>
        }
        value={textsOf(task.value.outputs)}
        offers={emits}
        onRename={rename}
        pattern={OUTPUT}
        placeholder="Add a variable"
        disabled={disabled}
        onCommit={(names) => put(["outputs"], names)}
      />
    </Section>
  );
}

/** The name of a variable that a task sets, as an example. */
function printed({ value }: Task): string {
  const [first = "NAME"] = textsOf(value.outputs).filter((name) => name !== "*");
  return first.replace(/\?$/, "");
}

function Flow({ task, put, disabled }: Part) {
  const { view } = useBench();
  const { value } = task;
  const each = value.for_each;
  const others = view.tasks.filter(({ id, name }) => id !== task.id && name !== "");
  const said = [
    task.dependsOn.length > 0 && "order",
    value.when !== undefined && "when",
    each !== undefined && "for each",
  ];
  return (
    <Section title="Order and condition" sum={said.filter(Boolean).join(", ")}>
      <NamesValue
        label="Runs after"
        hint="Tasks that must have succeeded first (depends_on)."
        value={task.dependsOn}
        offers={others.map(({ name }) => name)}
        placeholder="Add a task"
        disabled={disabled}
        onCommit={(names) => put(["execution", "depends_on"], names)}
      />
      <TextValue
        label="Only when"
        hint="An expression over variables, such as COUNT|int > 3."
        value={value.when === undefined ? "" : String(value.when)}
        disabled={disabled}
        onCommit={(text) => put(["when"], text)}
      />
      {each === undefined || typeof each === "string" ? (
        <TextValue
          label="For each"
          hint="A variable that holds a list, which is among the inputs; or the list: [eu, us]."
          value={typeof each === "string" ? each : ""}
          list={task.inputs}
          disabled={disabled}
          onCommit={(text) => put(["for_each"], text === undefined ? undefined : listOr(text))}
        />
      ) : (
        <YamlValue
          label="For each (list)"
          hint="It runs once for each item."
          value={each}
          disabled={disabled}
          onCommit={(next) => put(["for_each"], next)}
        />
      )}
    </Section>
  );
}

/** `[a, b]` is a list, all else a name. */
function listOr(text: string): Json {
  const inner = /^\s*\[(.*)\]\s*$/.exec(text)?.[1];
  return inner === undefined
    ? text
    : inner
        .split(",")
        .map((item) => item.trim())
        .filter(Boolean);
}

function Execution({ task, put, disabled }: Part) {
  const run = mapOf(task.value.execution);
  const at = (key: string) => ({
    value: run[key],
    disabled,
    onCommit: (value: Json | undefined) => put(["execution", key], value),
  });
  return (
    <Section title="Parallel execution" open>
      <CheckValue
        label="Run async"
        hint="Beside others; else alone within its run."
        fallback
        {...at("async")}
      />
      <div className={styles.two}>
        <NumberValue label="Timeout" placeholder="none, or 30s, 5m" words {...at("timeout")} />
        <NumberValue
          label="Workers"
          placeholder="no limit"
          hint="At once, over all runs."
          {...at("workers")}
        />
        <TextValue
          label="Queue"
          placeholder="none"
          value={textOf(run.queue)}
          disabled={disabled}
          onCommit={(text) => put(["execution", "queue"], text)}
        />
        <NumberValue label="Priority" placeholder="0" {...at("priority")} />
      </div>
      <TextValue
        label="Parallel group"
        hint="A label in pictures and in progress."
        value={textOf(run.parallel_group)}
        disabled={disabled}
        onCommit={(text) => put(["execution", "parallel_group"], text)}
      />
      <CheckValue
        label="Must be a join"
        hint="Several tasks lead to it (sync_before)."
        fallback={false}
        {...at("sync_before")}
      />
      <CheckValue
        label="Must lead to a join"
        hint="One follows it (sync_after)."
        fallback={false}
        {...at("sync_after")}
      />
    </Section>
  );
}

function Permissions({ task, put, disabled }: Part) {
  const { plugins } = useBench();
  const declared = plugins.find(({ name }) => name === task.plugin)?.permissions ?? [];
  const required = textsOf(mapOf(task.value.permissions).required);
  const sum = [task.value.requires_auth === true && "its plugin's", ...required]
    .filter(Boolean)
    .join(", ");
  return (
    <Section title="Permissions" sum={sum}>
      <CheckValue
        label="Requires auth"
        hint={
          declared.length > 0
            ? `Needs ${declared.join(", ")}.`
            : "This plugin declares no permissions."
        }
        value={task.value.requires_auth}
        fallback={false}
        disabled={disabled}
        onCommit={(on) => put(["requires_auth"], on)}
      />
      <NamesValue
        label="Required"
        hint="Asked for with AUTH_TOKEN; without them it does not start."
        value={required}
        placeholder="Add a permission"
        disabled={disabled}
        onCommit={(names) => put(["permissions", "required"], names)}
      />
    </Section>
  );
}

function Failing({ task, put, disabled }: Part) {
  const retry = mapOf(task.value.retry);
  const attempts = retry.max_attempts;
  const at = (key: string) => ({
    value: retry[key],
    disabled,
    onCommit: (value: Json | undefined) => put(["retry", key], value),
  });
  return (
    <Section title="Retry and failure" sum={attempts ? `${String(attempts)} attempts` : undefined}>
      <div className={styles.two}>
        <NumberValue label="Attempts" placeholder="1" {...at("max_attempts")} />
        <ChoiceValue
          label="Backoff"
          choices={["none", "fixed", "linear", "exponential"]}
          unset="exponential"
          {...at("backoff")}
        />
        <NumberValue label="First wait" placeholder="1s" words {...at("initial")} />
        <NumberValue label="Longest wait" placeholder="60s" words {...at("max")} />
        <NumberValue label="Jitter" placeholder="0 to 1" {...at("jitter")} />
      </div>
      <CheckValue
        label="May fail"
        hint="The run may succeed although this task failed."
        value={task.value.allow_failure}
        fallback={false}
        disabled={disabled}
        onCommit={(on) => put(["allow_failure"], on)}
      />
    </Section>
  );
}
