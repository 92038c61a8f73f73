import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data } from "../../api/client";
import { all } from "../../api/lists";
import { useLive } from "../../api/live";
import { Button, IconButton } from "../../kit/button";
import { Confirm } from "../../kit/dialog";
import { CardHead } from "../../kit/facts";
import { Select, TextField } from "../../kit/field";
import { Card, Table } from "../../kit/page";
import { Failure, Loading } from "../../kit/states";
import { When } from "../../kit/time";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import styles from "./system.module.css";
import { countsText, type LimitDraft, limitOf, mostText } from "./words";

/** How many runs and tasks there may be at once. */
export function Limits() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<string>();
  const list = useQuery({
    queryKey: ["limits"],
    queryFn: () => all((query) => data(api.GET("/api/v1/limits", { params: { query } }))),
  });
  useLive({ types: ["run."] }, ["limits"], 2000);
  const items = list.data?.items ?? [];
  const head = ["Limit", "Counts", "Most", "Now", "Waiting", "Changed", <Hidden key="do" />];
  return (
    <Card>
      <CardHead title="Limits">
        {may("limits:write") && (
          <Button icon={Plus} onClick={() => setMaking(true)}>
            New limit
          </Button>
        )}
      </CardHead>
      {list.isPending && <Loading what="limits" />}
      {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data && items.length === 0 && (
        <p className={styles.note}>None: as many runs and tasks as the workers can take.</p>
      )}
      {items.length > 0 && (
        <Table caption="Limits" head={head}>
          {items.map((it) => (
            <tr key={it.name}>
              <td>
                <strong>{it.name}</strong>
              </td>
              <td>{countsText(it)}</td>
              <td>{mostText(it)}</td>
              <td>{it.counts === "runs" ? it.runs : "–"}</td>
              <td>{it.counts === "runs" ? it.waiting : "–"}</td>
              <td className={styles.soft}>
                <When at={it.changed_at} /> by {it.changed_by}
              </td>
              <td className={styles.actions}>
                {may("limits:write") && (
                  <IconButton
                    icon={Trash2}
                    label={`Delete ${it.name}`}
                    onClick={() => setDeleting(it.name)}
                  />
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {making && <LimitForm onClose={() => setMaking(false)} />}
      {deleting !== undefined && <Delete name={deleting} onClose={() => setDeleting(undefined)} />}
    </Card>
  );
}

function Hidden() {
  return <span className="visually-hidden">Actions</span>;
}

function Delete({ name, onClose }: { name: string; onClose: () => void }) {
  const done = useDone();
  const act = async () => {
    await api.DELETE("/api/v1/limits/{name}", { params: { path: { name } } });
    await done(`The limit ${name} is deleted`);
  };
  return (
    <Confirm title={`Delete ${name}?`} action="Delete" danger onConfirm={act} onClose={onClose}>
      <p>What waits for it goes on at once.</p>
    </Confirm>
  );
}

function LimitForm({ onClose }: { onClose: () => void }) {
  const done = useDone();
  const [draft, setDraft] = useState<LimitDraft>({
    name: "",
    counts: "runs",
    namespace: "default",
    workflow: "",
    queue: "",
    most: "1",
    whenFull: "wait",
  });
  const change = (part: Partial<LimitDraft>) => setDraft({ ...draft, ...part });
  const save = async () => {
    await api.PUT("/api/v1/limits/{name}", {
      params: { path: { name: draft.name }, header: { "If-None-Match": "*" } },
      body: limitOf(draft),
    });
    await done(`The limit ${draft.name} is made`);
  };
  return (
    <Confirm title="New limit" action="Make it" onConfirm={save} onClose={onClose}>
      <div className={styles.pair}>
        <TextField
          label="Name"
          required
          autoFocus
          value={draft.name}
          onChange={(event) => change({ name: event.target.value })}
        />
        <Select
          label="It counts"
          value={draft.counts}
          onChange={(event) =>
            change({ counts: event.target.value === "tasks" ? "tasks" : "runs" })
          }
        >
          <option value="runs">Runs</option>
          <option value="tasks">Tasks of a queue</option>
        </Select>
        {draft.counts === "tasks" ? (
          <TextField
            label="Queue"
            required
            value={draft.queue}
            onChange={(event) => change({ queue: event.target.value })}
          />
        ) : (
          <>
            <TextField
              label="Namespace"
              required
              value={draft.namespace}
              onChange={(event) => change({ namespace: event.target.value })}
            />
            <TextField
              label="Workflow"
              placeholder="all"
              value={draft.workflow}
              onChange={(event) => change({ workflow: event.target.value })}
            />
            <Select
              label="When it is full, a new run"
              value={draft.whenFull}
              onChange={(event) =>
                change({ whenFull: event.target.value === "refuse" ? "refuse" : "wait" })
              }
            >
              <option value="wait">Waits</option>
              <option value="refuse">Is refused</option>
            </Select>
          </>
        )}
        <TextField
          label="The most at once"
          type="number"
          required
          min={1}
          max={draft.counts === "tasks" ? 100_000 : 1000}
          value={draft.most}
          onChange={(event) => change({ most: event.target.value })}
        />
      </div>
    </Confirm>
  );
}

function useDone() {
  const client = useQueryClient();
  const toasts = useToasts();
  return async (text: string) => {
    toasts.done(text);
    await client.invalidateQueries({ queryKey: ["limits"] });
  };
}
