import { ClipboardCopy, ClipboardPaste, Network, Redo2, Search, Trash2, Undo2 } from "lucide-react";
import { useId, useState } from "react";
import { IconButton } from "../../../kit/button";
import { useToasts } from "../../../kit/toast";
import type { Task } from "../document/view";
import { useBench } from "../state/bench";
import { copyTasks, pasteTasks } from "../state/clip";
import styles from "./canvas.module.css";

/** Tasks from which on one of them is not found by a look. */
const MANY = 12;

/** What can be done to the whole canvas and to what is selected. */
export function Tools({ onTidy }: { onTidy: () => void }) {
  const bench = useBench();
  const tell = useToasts();
  const { undo, redo, sound, view, selected } = bench;
  const chosen = selected.tasks.length;
  const paste = async () => {
    try {
      const text = await navigator.clipboard.readText();
      if (!pasteTasks(bench, text)) tell.failed("There are no tasks on the clipboard.");
    } catch {
      tell.failed("The browser does not hand out the clipboard here: press Ctrl+V.");
    }
  };
  return (
    <div className={styles.tools} role="toolbar" aria-label="Canvas tools">
      <IconButton icon={Undo2} label="Undo (Ctrl+Z)" disabled={!undo} onClick={undo} />
      <IconButton icon={Redo2} label="Redo (Ctrl+Y)" disabled={!redo} onClick={redo} />
      <IconButton
        icon={Network}
        label="Tidy up: lay all tasks out"
        disabled={view.tasks.length < 2}
        onClick={onTidy}
      />
      <IconButton
        icon={ClipboardCopy}
        label="Copy the selected tasks (Ctrl+C)"
        disabled={chosen === 0}
        onClick={() => {
          void navigator.clipboard?.writeText(copyTasks(bench)).then(
            () => tell.done(chosen === 1 ? "1 task copied" : `${chosen} tasks copied`),
            () => tell.failed("The browser does not take this: press Ctrl+C."),
          );
        }}
      />
      <IconButton
        icon={ClipboardPaste}
        label="Paste tasks (Ctrl+V)"
        disabled={!sound}
        onClick={paste}
      />
      <IconButton
        icon={Trash2}
        label="Delete the selected tasks (Delete)"
        disabled={chosen === 0 || !sound}
        onClick={() => bench.removeTasks(selected.tasks)}
      />
      {view.tasks.length > MANY && <Finder />}
    </div>
  );
}

/** Goes to a task by its name. */
function Finder() {
  const { view, select } = useBench();
  const [text, setText] = useState("");
  const id = useId();
  const go = (task: Task | undefined) => {
    if (!task) return;
    select([task.id], true);
    setText("");
  };
  const change = (sought: string) => {
    const exact = view.tasks.find(({ name }) => name === sought);
    if (exact) go(exact);
    else setText(sought);
  };
  return (
    <form
      className={styles.finder}
      onSubmit={(event) => {
        event.preventDefault();
        const sought = text.trim().toLowerCase();
        if (sought) go(view.tasks.find(({ name }) => name.toLowerCase().includes(sought)));
      }}
    >
      <Search size={14} aria-hidden />
      <input
        type="search"
        aria-label="Find a task"
        placeholder="Find a task"
        list={id}
        autoComplete="off"
        value={text}
        onChange={(event) => change(event.target.value)}
      />
      <datalist id={id}>
        {text !== "" && view.tasks.map((task) => <option key={task.id} value={task.name} />)}
      </datalist>
    </form>
  );
}
