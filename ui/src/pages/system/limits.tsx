import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data } from "../../api/client";
import { all } from "../../api/lists";
import { useLive } from "../../api/live";
import type { Guard } from "../../api/version";
import { Button, IconButton } from "../../kit/button";
import { Guarded, Reading } from "../../kit/change";
import { CardHead } from "../../kit/facts";
import { Card, Table } from "../../kit/page";
import { Failure, Loading } from "../../kit/states";
import { When } from "../../kit/time";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import { countsText, limitDraftOf, limitOf, mostText, placeOf, readLimit } from "./limit";
import { LimitForm } from "./limit-form";
import styles from "./system.module.css";

/** How many runs and tasks there may be at once. */
export function Limits() {
  const may = useMay();
  const done = useDone();
  const [making, setMaking] = useState(false);
  const [changing, setChanging] = useState<string>();
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
                {may("limits:write", placeOf(it)) && (
                  <>
                    <IconButton
                      icon={Pencil}
                      label={`Change ${it.name}`}
                      onClick={() => setChanging(it.name)}
                    />
                    <IconButton
                      icon={Trash2}
                      label={`Delete ${it.name}`}
                      onClick={() => setDeleting(it.name)}
                    />
                  </>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {making && <LimitForm onDone={done} onClose={() => setMaking(false)} />}
      {changing !== undefined && (
        <Reading
          title={`Change ${changing}`}
          read={() => readLimit(changing)}
          onClose={() => setChanging(undefined)}
        >
          {(before) => (
            <LimitForm before={before} onDone={done} onClose={() => setChanging(undefined)} />
          )}
        </Reading>
      )}
      {deleting !== undefined && (
        <Delete name={deleting} onDone={done} onClose={() => setDeleting(undefined)} />
      )}
    </Card>
  );
}

function Hidden() {
  return <span className="visually-hidden">Actions</span>;
}

interface DeleteProps {
  name: string;
  onDone: (text: string) => Promise<unknown>;
  onClose: () => void;
}

function Delete({ name, onDone, onClose }: DeleteProps) {
  const write = async (header: Guard) => {
    await api.DELETE("/api/v1/limits/{name}", { params: { path: { name }, header } });
    await onDone(`The limit ${name} is deleted`);
  };
  return (
    <Guarded
      title={`Delete ${name}?`}
      action="Delete"
      danger
      read={() => readLimit(name)}
      part={(it) => limitOf(limitDraftOf(it))}
      write={write}
      onClose={onClose}
    >
      <p>What waits for it goes on at once.</p>
    </Guarded>
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
