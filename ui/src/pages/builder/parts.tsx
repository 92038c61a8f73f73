import { Maximize2, Minimize2 } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { IconButton } from "../../kit/button";
import { Loading } from "../../kit/states";
import styles from "./builder.module.css";
import { Palette } from "./palette/palette";
import { Panel } from "./panel/panel";
import { useBench } from "./state/bench";
import { useNarrow } from "./state/room";
import { useTextStore } from "./state/text-store";

const Editor = lazy(() => import("./text/editor"));

type Part = "add" | "canvas" | "properties" | "text";

export interface PartsProps {
  canvas: ReactNode;
  line: { line: number; column: number } | undefined;
  onSelectLine: (line: number) => void;
}

/** The palette, the canvas, and beside it the properties or the text. */
export function Parts({ canvas, line, onSelectLine }: PartsProps) {
  const { sound, view, problems } = useBench();
  const narrow = useNarrow();
  const [query, setQuery] = useSearchParams();
  const fallback: Part = narrow ? "canvas" : "properties";
  const tabs: readonly Part[] = narrow ? NARROW_PARTS : WIDE_PARTS;
  const part = tabs.find((name) => name === query.get("part")) ?? fallback;
  const [whole, setWhole] = useState(false);
  const choose = (next: Part) =>
    setQuery(
      (before) => {
        const after = new URLSearchParams(before);
        if (next === fallback) after.delete("part");
        else after.set("part", next);
        return after;
      },
      { replace: true },
    );
  // Where nothing on the canvas shows what is wrong, the text does.
  const wrongLine =
    line && !view.tasks.some(({ lines }) => lines[0] <= line.line && line.line <= lines[1]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line alone turns to the text
  useEffect(() => {
    if (wrongLine) choose("text");
  }, [line]);
  const isWhole = whole && part === "text" && !narrow;
  const side = (
    <div className={styles.side} data-part={part}>
      <div className={styles.sideTabs}>
        <div role="tablist" aria-label="Parts of the builder">
          {tabs.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={part === name}
              onClick={() => choose(name)}
            >
              {LABELS[name]}
              {name === "text" && !sound && <span className={styles.dot} title="No YAML" />}
            </button>
          ))}
        </div>
        {part === "text" && !narrow && (
          <IconButton
            icon={isWhole ? Minimize2 : Maximize2}
            label={isWhole ? "Show the canvas beside the text" : "Show the text alone"}
            onClick={() => setWhole(!isWhole)}
          />
        )}
      </div>
      <div className={styles.sideBody}>
        {part === "add" && <Palette onAdded={() => choose("canvas")} />}
        {narrow && part === "canvas" && canvas}
        {part === "properties" && <Panel />}
        {part === "text" && (
          <Suspense fallback={<Loading what="the editor" />}>
            <Text line={line} problems={problems} onSelectLine={onSelectLine} />
          </Suspense>
        )}
      </div>
    </div>
  );
  if (narrow) return <div className={styles.parts}>{side}</div>;
  return (
    <div className={styles.parts} data-part={part} data-whole={isWhole}>
      {!isWhole && (
        <>
          <div className={styles.palette}>
            <Palette />
          </div>
          <div className={styles.center}>{canvas}</div>
        </>
      )}
      {side}
    </div>
  );
}

const NARROW_PARTS: readonly Part[] = ["add", "canvas", "properties", "text"];
const WIDE_PARTS: readonly Part[] = ["properties", "text"];
const LABELS: Record<Part, string> = {
  add: "Add",
  canvas: "Canvas",
  properties: "Properties",
  text: "Text",
};

function Text(
  props: Omit<PartsProps, "canvas"> & { problems: ReturnType<typeof useBench>["problems"] },
) {
  const { write, undo, redo } = useBench();
  const store = useTextStore();
  return (
    <Editor
      store={store}
      problems={props.problems}
      line={props.line}
      onType={(next) => write(next, "typing")}
      onUndo={() => undo?.()}
      onRedo={() => redo?.()}
      onLine={props.onSelectLine}
    />
  );
}
