import { useQuery } from "@tanstack/react-query";
import { CircleAlert } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { ApiError, api, data, type Schema } from "../../../api/client";
import { Button } from "../../../kit/button";
import { Dialog } from "../../../kit/dialog";
import { TextField } from "../../../kit/field";
import { Banner, Failure, Loading } from "../../../kit/states";
import { all, changed, set } from "../document/change";
import { ProblemList } from "../panel/problem-list";
import { useBench } from "./bench";
import styles from "./save.module.css";
import { useText } from "./text-store";
import { bumped, freeVersion, type Step } from "./versions";

const Diff = lazy(() => import("../text/diff"));

export interface SaveProps {
  /** What the button says: to save alone, or to run too. */
  action: string;
  /** Whether this was never saved: it may share its name with another workflow by chance. */
  first: boolean;
  onSaved: (saved: Schema<"WorkflowView">, text: string) => void;
  onClose: () => void;
}

/** Saves the document as a new version, beside what differs from the last. */
export function SaveDialog({ action, first, onSaved, onClose }: SaveProps) {
  const { view, problems } = useBench();
  const text = useText();
  const { namespace } = view;
  const [name, setName] = useState(view.name);
  const versions = useQuery<Schema<"WorkflowView">[]>({
    queryKey: ["workflows", namespace, view.name, "versions"],
    queryFn: () => versionsOf(namespace, view.name),
  });
  // Of another name, the server says whether it is taken.
  const known = name === view.name ? versions.data : [];
  const last = known?.[0]?.version;
  const source = useQuery({
    queryKey: ["workflows", namespace, view.name, last],
    queryFn: () =>
      data(
        api.GET("/api/v1/workflows/{namespace}/{name}/{version}", {
          params: { path: { namespace, name: view.name, version: last ?? "" } },
        }),
      ),
    enabled: last !== undefined,
  });
  const [chosen, setChosen] = useState<string>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const taken = useMemo(() => known?.map(({ version }) => version) ?? [], [known]);
  const version = chosen ?? freeVersion(view.version, taken);
  const before = source.data?.source ?? "";
  const after = edited(text, [
    ["name", view.name, name],
    ["version", view.version, version],
  ]);
  const errors = problems.filter(({ severity }) => severity === "error");
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      onSaved(await data(api.POST("/api/v1/workflows", { body: { source: after } })), after);
    } catch (thrown) {
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      setBusy(false);
    }
  };
  const isNew = known !== undefined && last === undefined;
  const loading = versions.isPending || (last !== undefined && source.isPending);
  const wrong = taken.includes(version) ? "This version is registered already." : undefined;
  return (
    <Dialog
      title={isNew ? "Save the workflow" : `Save ${name} as a new version`}
      wide
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button
            kind="primary"
            disabled={busy || loading || errors.length > 0 || wrong !== undefined || name === ""}
            onClick={save}
          >
            {action}
          </Button>
        </>
      }
    >
      {versions.error && <Failure error={versions.error} />}
      {errors.length > 0 && (
        <div>
          <Banner tone="failed" icon={CircleAlert}>
            It cannot be saved before {errors.length === 1 ? "this is" : "these are"} mended.
          </Banner>
          <ProblemList problems={errors} onGone={onClose} />
        </div>
      )}
      <div className={styles.version}>
        {(first || isNew) && (
          <TextField
            label="Name"
            hint={
              last === undefined
                ? `In the namespace ${namespace}.`
                : "There is such a workflow, and this becomes its next version. Another name makes another one."
            }
            value={name}
            onChange={(event) => setName(event.target.value.trim())}
          />
        )}
        <TextField
          label="Version"
          hint={isNew ? "The first one." : `The last one is ${last}.`}
          wrong={wrong}
          value={version}
          onChange={(event) => setChosen(event.target.value.trim())}
        />
        {last !== undefined && <Steps last={last} onChoose={setChosen} />}
      </div>
      {loading ? (
        <Loading what="the last version" />
      ) : (
        last !== undefined && (
          <Suspense fallback={<Loading what="what differs" />}>
            <Diff before={before} after={after} />
          </Suspense>
        )
      )}
      {error && <Failure error={error} />}
    </Dialog>
  );
}

/** The text with other values of its own keys, where they are others. */
function edited(text: string, keys: readonly (readonly [string, string, string])[]): string {
  const edits = keys.filter(([, before, after]) => before !== after);
  if (edits.length === 0) return text;
  return changed(text, all(...edits.map(([key, , after]) => set([key], after))));
}

function Steps({ last, onChoose }: { last: string; onChoose: (version: string) => void }) {
  const steps: Step[] = ["patch", "minor", "major"];
  return (
    <div className={styles.steps}>
      {steps.map((step) => (
        <Button key={step} onClick={() => onChoose(bumped(last, step))}>
          {step} {bumped(last, step)}
        </Button>
      ))}
    </div>
  );
}

/** All versions, newest first; none of a workflow that nobody has registered. */
async function versionsOf(namespace: string, name: string): Promise<Schema<"WorkflowView">[]> {
  try {
    const params = { path: { namespace, name } };
    return (await data(api.GET("/api/v1/workflows/{namespace}/{name}", { params }))).items;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}
