import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, type Schema } from "../../api/client";
import { all } from "../../api/lists";
import { Button, IconButton } from "../../kit/button";
import { Confirm } from "../../kit/dialog";
import { CardHead } from "../../kit/facts";
import { Select, TextField } from "../../kit/field";
import { Card, Table } from "../../kit/page";
import { Failure, Loading } from "../../kit/states";
import { duration, When } from "../../kit/time";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import styles from "./system.module.css";
import { ruleText } from "./words";

const DAY = 86_400;
const ENDED = ["succeeded", "failed", "cancelled"] as const;

/** For how long ended runs are kept. */
export function Retention() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<Schema<"RetentionView">>();
  const list = useQuery({
    queryKey: ["retention"],
    queryFn: () => all((query) => data(api.GET("/api/v1/retention", { params: { query } }))),
  });
  const items = list.data?.items ?? [];
  const hidden = <span className="visually-hidden">Actions</span>;
  return (
    <Card>
      <CardHead title="How long runs are kept">
        {may("runs:delete") && (
          <Button icon={Plus} onClick={() => setMaking(true)}>
            New rule
          </Button>
        )}
      </CardHead>
      {list.isPending && <Loading what="rules" />}
      {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data && items.length === 0 && (
        <p className={styles.note}>No rule: every run is kept until somebody deletes it.</p>
      )}
      {items.length > 0 && (
        <Table caption="Rules" head={["Rule", "Deletes", "After", "Written", hidden]}>
          {items.map((it) => (
            <tr key={it.name}>
              <td>
                <strong>{it.name}</strong>
              </td>
              <td>{ruleText(it)}</td>
              <td>{duration(it.keep_s * 1000)}</td>
              <td className={styles.soft}>
                <When at={it.written_at} />
              </td>
              <td className={styles.actions}>
                {may("runs:delete") && (
                  <IconButton
                    icon={Trash2}
                    label={`Delete ${it.name}`}
                    onClick={() => setDeleting(it)}
                  />
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {making && <RuleForm onClose={() => setMaking(false)} />}
      {deleting && <Delete name={deleting.name} onClose={() => setDeleting(undefined)} />}
    </Card>
  );
}

function Delete({ name, onClose }: { name: string; onClose: () => void }) {
  const done = useDone();
  const act = async () => {
    await api.DELETE("/api/v1/retention/{name}", { params: { path: { name } } });
    await done(`The rule ${name} is deleted`);
  };
  return (
    <Confirm
      title={`Delete the rule ${name}?`}
      action="Delete"
      danger
      onConfirm={act}
      onClose={onClose}
    >
      <p>Runs that it would have deleted are kept from now on. Those that are gone stay gone.</p>
    </Confirm>
  );
}

function RuleForm({ onClose }: { onClose: () => void }) {
  const done = useDone();
  const [name, setName] = useState("");
  const [days, setDays] = useState("30");
  const [namespace, setNamespace] = useState("");
  const [state, setState] = useState("");
  const save = async () => {
    const states = ENDED.filter((it) => it === state);
    await api.PUT("/api/v1/retention/{name}", {
      params: { path: { name }, header: { "If-None-Match": "*" } },
      body: {
        keep_s: Math.round(Number(days) * DAY),
        ...(namespace.trim() && { namespace: namespace.trim() }),
        ...(states.length > 0 && { status: states }),
      },
    });
    await done(`The rule ${name} is made`);
  };
  return (
    <Confirm title="New rule" action="Make it" danger onConfirm={save} onClose={onClose}>
      <div className={styles.pair}>
        <TextField
          label="Name"
          required
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <TextField
          label="Days that runs are kept"
          type="number"
          required
          min={0}
          step="any"
          value={days}
          onChange={(event) => setDays(event.target.value)}
        />
        <TextField
          label="Namespace"
          placeholder="all"
          value={namespace}
          onChange={(event) => setNamespace(event.target.value)}
        />
        <Select label="Runs that" value={state} onChange={(event) => setState(event.target.value)}>
          <option value="">Ended in any way</option>
          {ENDED.map((it) => (
            <option key={it} value={it}>
              {it === "cancelled" ? "Were cancelled" : it === "failed" ? "Failed" : "Succeeded"}
            </option>
          ))}
        </Select>
      </div>
      <p>Runs that ended longer ago are deleted with their logs, for good, those of before too.</p>
    </Confirm>
  );
}

function useDone() {
  const client = useQueryClient();
  const toasts = useToasts();
  return async (text: string) => {
    toasts.done(text);
    await client.invalidateQueries({ queryKey: ["retention"] });
  };
}
