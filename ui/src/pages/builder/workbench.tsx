import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Schema } from "../../api/client";
import { pluginsQuery } from "../../api/lists";
import { useTitle } from "../../kit/page";
import styles from "./builder.module.css";
import { Canvas } from "./canvas/canvas";
import { freePlace } from "./canvas/places";
import { addTasks, removeTasks, renameTask } from "./document/change";
import { RenameDialog } from "./panel/rename-dialog";
import { Parts } from "./parts";
import { RunBar } from "./run/run-bar";
import { RunDialog } from "./run/run-dialog";
import { type Bench, BenchProvider, NOTHING, type Selection, useAskedTask } from "./state/bench";
import { useKeys } from "./state/clip";
import { draftKey, keepPlaces, readPlaces } from "./state/draft";
import { freshTask } from "./state/fresh";
import { OpenDialog } from "./state/open-dialog";
import { useProblems } from "./state/problems";
import { SaveDialog } from "./state/save-dialog";
import { TextProvider, useOfText } from "./state/text-store";
import { useDocument } from "./state/use-document";
import { useDraft } from "./state/use-draft";
import { usePlaces } from "./state/use-places";
import { useRun } from "./state/use-run";
import { Offer, ProblemBar, Top } from "./top";

/** A workflow that is registered, as it was registered. */
export interface Saved {
  namespace: string;
  name: string;
  version: string;
  text: string;
}

export interface Opened {
  text: string;
  saved: Saved | undefined;
}

export interface WorkbenchProps {
  opened: Opened;
  onSaved: (saved: Saved) => void;
  /** Opens a text that is another workflow than the one that is open. */
  onText: (text: string) => void;
}

type Asking =
  | { kind: "save"; run: boolean }
  | { kind: "rename"; variables: readonly string[] }
  | { kind: "open"; way: "registered" | "template" | "import" };

/** The builder with one workflow on it. */
export function Workbench({ opened, onSaved, onText }: WorkbenchProps) {
  const { store, work } = useDocument(opened.text);
  const { view, change } = work;
  const [saved, setSaved] = useState(opened.saved);
  const key = draftKey(saved?.namespace, saved?.name);
  const checked = useProblems(store, view);
  const found = useQuery({ ...pluginsQuery, staleTime: 30_000 });
  const runner = useRun();
  const asked = useAskedTask();
  const [selected, setSelected] = useState<Selection>(asked);
  const [shown, setShown] = useState<{ tasks: readonly string[] } | undefined>(
    asked.tasks.length > 0 ? asked : undefined,
  );
  const [line, setLine] = useState<{ line: number; column: number }>();
  const [asking, setAsking] = useState<Asking>();
  const { places, setPlaces, tidy, laidOut, layingOut } = usePlaces(
    view,
    useMemo(() => readPlaces(key), [key]),
  );
  const before = saved?.text ?? opened.text;
  const dirty = useOfText(store, ({ text }) => text !== before);
  const offer = useDraft(key, { store, places, dirty, opened: opened.text });
  useTitle(view.name || "Builder");
  usePlacesKept(saved, key, places);

  const select = useCallback((tasks: readonly string[], show?: boolean) => {
    setSelected({ tasks, links: [] });
    if (show) setShown({ tasks });
  }, []);
  const choose = useChoose(view.tasks, selected, setSelected, setLine);
  const plugins = found.data?.items ?? NONE;
  const bench: Bench = useMemo(
    () => ({
      ...work,
      plugins,
      problems: checked.problems,
      selected,
      select,
      sound: work.slips.length === 0,
      live: runner.live,
      goToLine: (at, column = 1) => setLine({ line: at, column }),
      rename: (task, name) => {
        change(renameTask(task.index, name), `rename ${task.index}`);
        select([name]);
      },
      askName: (variables) => setAsking({ kind: "rename", variables }),
      addTask: (plugin, at) => {
        const task = freshTask(
          view,
          plugin,
          plugins.find(({ name }) => name === plugin),
        );
        if (at) setPlaces({ [String(task.name)]: freePlace(places, at) });
        change(addTasks([task]));
        select([String(task.name)], at === undefined);
      },
      removeTasks: (ids) => {
        change(
          removeTasks(view.tasks.filter(({ id }) => ids.includes(id)).map(({ index }) => index)),
        );
        setSelected(NOTHING);
      },
    }),
    [
      work,
      plugins,
      checked.problems,
      selected,
      select,
      runner.live,
      change,
      view,
      places,
      setPlaces,
    ],
  );
  useKeys(bench, () => setAsking({ kind: "save", run: false }));

  const openTemplates = useCallback(() => setAsking({ kind: "open", way: "template" }), []);
  const run = () => {
    if (dirty || !saved) setAsking({ kind: "save", run: true });
    else void runner.begin(saved.namespace, saved.name, saved.version);
  };
  const kept = (made: Schema<"WorkflowView">, registered: string, andRun: boolean) => {
    const { namespace, name, version } = made;
    work.write(registered);
    const now = { namespace, name, version, text: registered };
    offer.drop();
    setSaved(now);
    onSaved(now);
    setAsking(undefined);
    if (andRun) void runner.begin(namespace, name, version);
  };
  const load = (fresh: string) => {
    setAsking(undefined);
    const normal = fresh.replaceAll("\r\n", "\n");
    if (saved) return onText(normal);
    work.write(normal);
    setSelected(NOTHING);
  };
  return (
    <BenchProvider value={bench}>
      <TextProvider value={store}>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the import dialog does the same by keys */}
        <div
          className={styles.bench}
          onDragOver={(event) =>
            event.dataTransfer.types.includes("Files") && event.preventDefault()
          }
          onDrop={(event) => {
            const [file] = event.dataTransfer.files;
            if (!file) return;
            event.preventDefault();
            void file.text().then(load);
          }}
        >
          <Top
            saved={saved}
            dirty={dirty}
            places={places}
            onOpen={(way) => setAsking({ kind: "open", way })}
            onSave={() => setAsking({ kind: "save", run: false })}
          />
          {offer.draft && (
            <Offer
              at={offer.draft.at}
              onRestore={() => {
                const { draft } = offer;
                if (!draft) return;
                setPlaces(draft.places);
                work.write(draft.text);
                offer.take();
              }}
              onDrop={offer.drop}
            />
          )}
          <Parts
            line={line}
            onSelectLine={choose.line}
            canvas={
              <Canvas
                places={places}
                onPlaces={setPlaces}
                onSelect={choose.selection}
                shown={shown}
                onTidy={tidy}
                laidOut={laidOut}
                layingOut={layingOut}
                onTemplates={openTemplates}
              />
            }
          />
          <ProblemBar checked={checked} />
          <RunBar
            workers={runner.workers}
            onWorkers={runner.setWorkers}
            granted={runner.granted}
            onRun={run}
            busy={runner.busy}
            onForget={runner.forget}
            began={runner.version}
            current={dirty ? undefined : saved?.version}
          />
          {asking?.kind === "open" && (
            <OpenDialog way={asking.way} onText={load} onClose={() => setAsking(undefined)} />
          )}
          {asking?.kind === "save" && (
            <SaveDialog
              action={asking.run ? "Save and run" : "Save"}
              first={saved === undefined}
              onSaved={(made, registered) => kept(made, registered, asking.run)}
              onClose={() => setAsking(undefined)}
            />
          )}
          {asking?.kind === "rename" && (
            <RenameDialog variables={asking.variables} onClose={() => setAsking(undefined)} />
          )}
          {runner.asks && (
            <RunDialog
              workflow={runner.asks}
              onStart={(variables, reason) =>
                runner.asks ? runner.start(runner.asks, variables, reason) : Promise.resolve()
              }
              onClose={runner.dismiss}
            />
          )}
        </div>
      </TextProvider>
    </BenchProvider>
  );
}

const NONE: Schema<"PluginView">[] = [];

/** A task that is selected on the canvas is shown in the text, and the other way round. */
function useChoose(
  tasks: Bench["view"]["tasks"],
  selected: Selection,
  setSelected: (selected: Selection) => void,
  setLine: (line: { line: number; column: number }) => void,
) {
  const latest = useRef({ tasks, selected });
  latest.current = { tasks, selected };
  return useMemo(
    () => ({
      selection: (next: Selection) => {
        setSelected(next);
        const [only] = next.tasks;
        const fresh = only !== undefined && !latest.current.selected.tasks.includes(only);
        const task = latest.current.tasks.find(({ id }) => id === only);
        if (fresh && task && next.tasks.length === 1) setLine({ line: task.lines[0], column: 1 });
      },
      line: (line: number) => {
        const { tasks, selected } = latest.current;
        const task = tasks.find(({ lines: [first, last] }) => first <= line && line <= last);
        const ids = task ? [task.id] : [];
        if (ids.join() !== selected.tasks.join()) setSelected({ tasks: ids, links: [] });
      },
    }),
    [setSelected, setLine],
  );
}

function usePlacesKept(
  saved: Saved | undefined,
  key: string,
  places: ReturnType<typeof readPlaces>,
) {
  useEffect(() => {
    if (!saved) return;
    const timer = setTimeout(() => keepPlaces(key, places), 500);
    return () => clearTimeout(timer);
  }, [saved, key, places]);
}
