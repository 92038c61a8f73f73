import { CheckCheck, Trash2, Workflow } from "lucide-react";
import { memo } from "react";
import { Button, IconButton } from "../../../kit/button";
import { all, linkOrder, linkVariable, set, unlinked, unlinkVariable } from "../document/change";
import type { Json } from "../document/json";
import { VARIABLE } from "../document/variable";
import { type Link, mapOf, textOf, textsOf } from "../document/view";
import { useBench } from "../state/bench";
import { ChoiceValue, MapRows, NamesValue, TextValue } from "./fields";
import styles from "./panel.module.css";
import { ProblemList } from "./problem-list";
import { Section } from "./section";
import { TaskPanel } from "./task-panel";

/** What is selected, in words and controls; the workflow itself where nothing is. */
export const Panel = memo(function Panel() {
  const { view, selected } = useBench();
  const tasks = view.tasks.filter(({ id }) => selected.tasks.includes(id));
  const link = view.links.find(({ id }) => id === selected.links[0]);
  const [task] = tasks;
  return (
    <section className={styles.panel} aria-label="Properties">
      {task && tasks.length === 1 ? (
        <TaskPanel key={task.index} task={task} />
      ) : tasks.length > 1 ? (
        <Several ids={tasks.map(({ id }) => id)} />
      ) : link ? (
        <LinkPanel key={link.id} link={link} />
      ) : (
        <WorkflowPanel />
      )}
    </section>
  );
});

function Several({ ids }: { ids: string[] }) {
  const { removeTasks, sound } = useBench();
  return (
    <>
      <div className={styles.head}>
        <CheckCheck size={18} aria-hidden />
        <div>
          <h2>{ids.length} tasks</h2>
          <p>Copy them with Ctrl+C, also for another tab.</p>
        </div>
      </div>
      <div className={styles.fields}>
        <Button icon={Trash2} kind="danger" disabled={!sound} onClick={() => removeTasks(ids)}>
          Delete {ids.length} tasks
        </Button>
      </div>
    </>
  );
}

function LinkPanel({ link }: { link: Link }) {
  const { view, change, sound, askName } = useBench();
  const from = view.tasks.find(({ id }) => id === link.from);
  const to = view.tasks.find(({ id }) => id === link.to);
  if (!from || !to) return null;
  return (
    <>
      <div className={styles.head}>
        <Workflow size={18} aria-hidden />
        <div>
          <h2>{link.kind === "order" ? "Order" : "Variables"}</h2>
          <p>
            {from.name} → {to.name}
          </p>
        </div>
        <IconButton
          icon={Trash2}
          label="Delete the link"
          disabled={!sound}
          onClick={() => change(unlinked(link, view.tasks))}
        />
      </div>
      <div className={styles.fields}>
        {link.kind === "order" ? (
          <p className={styles.hint}>
            {to.name} starts once {from.name} has succeeded. Nothing goes from one to the other.
          </p>
        ) : (
          <>
            <NamesValue
              label="Variables"
              hint={`${from.name} sets them, ${to.name} waits for them.`}
              value={link.variables}
              offers={from.outputs.map(({ name }) => name)}
              onRename={(name) => askName([name])}
              pattern={VARIABLE}
              disabled={!sound}
              onCommit={(names = []) => {
                const gone = link.variables.filter((name) => !names.includes(name));
                const fresh = names.filter((name) => !link.variables.includes(name));
                change(
                  all(
                    ...gone.map((name) => unlinkVariable(from.index, to.index, name)),
                    ...fresh.map((name) => linkVariable(from.index, to.index, name)),
                  ),
                );
              }}
            />
            <Button
              disabled={!sound}
              onClick={() =>
                change(all(unlinked(link, view.tasks), linkOrder(from.index, to.index)))
              }
            >
              Make it an order alone
            </Button>
          </>
        )}
      </div>
    </>
  );
}

function WorkflowPanel() {
  const { view, change, sound, problems, askName } = useBench();
  const { workflow } = view;
  const put = (key: string, value: Json | undefined) => change(set([key], value), key);
  const at = (key: string) => ({
    value: textOf(workflow[key]),
    disabled: !sound,
    onCommit: (value: string | undefined) => put(key, value),
  });
  const general = problems.filter(({ task }) => !task);
  return (
    <>
      <div className={styles.head}>
        <Workflow size={18} aria-hidden />
        <div>
          <h2>Workflow</h2>
          <p>
            {view.tasks.length} {view.tasks.length === 1 ? "task" : "tasks"}, {view.links.length}{" "}
            {view.links.length === 1 ? "link" : "links"}
          </p>
        </div>
      </div>
      {general.length > 0 && view.tasks.length > 0 && <ProblemList problems={general} />}
      <div className={styles.fields}>
        <TextValue label="Name" {...at("name")} onCommit={(name) => name && put("name", name)} />
        <div className={styles.two}>
          <TextValue label="Namespace" placeholder="default" {...at("namespace")} />
          <TextValue label="Version" placeholder="0.1.0" {...at("version")} />
        </div>
        <TextValue label="Description" multiline {...at("description")} />
        <ChoiceValue
          label="When a task fails"
          hint="“stop” ends the run; else branches that do not need it go on."
          value={workflow.on_failure}
          choices={["continue", "stop"]}
          unset="continue (the default)"
          disabled={!sound}
          onCommit={(choice) => put("on_failure", choice)}
        />
      </div>
      <Section title="Variables set before the first task" open>
        <MapRows
          label="env"
          hint="{{ENV:NAME}} comes from the server's environment. MAX_WORKERS is the most tasks at once."
          value={mapOf(workflow.env)}
          keyLabel="New variable"
          onRename={(name) => askName([name])}
          disabled={!sound}
          onCommit={(env) => put("env", env)}
        />
        <NamesValue
          label="Secrets"
          hint="Variables that are masked everywhere."
          value={textsOf(workflow.secrets)}
          offers={view.variables}
          pattern={VARIABLE}
          disabled={!sound}
          onCommit={(names) => put("secrets", names)}
        />
      </Section>
      <Section title="Tags" sum={textsOf(workflow.tags).join(", ")}>
        <NamesValue
          label="Tags"
          value={textsOf(workflow.tags)}
          disabled={!sound}
          onCommit={(tags) => put("tags", tags)}
        />
      </Section>
    </>
  );
}
