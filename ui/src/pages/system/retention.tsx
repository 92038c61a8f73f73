import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data } from "../../api/client";
import { all } from "../../api/lists";
import type { Guard } from "../../api/version";
import { Button, IconButton } from "../../kit/button";
import { Guarded, Reading } from "../../kit/change";
import { CardHead } from "../../kit/facts";
import { Card, Table } from "../../kit/page";
import { Failure, Loading } from "../../kit/states";
import { duration, When } from "../../kit/time";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import { readRule, ruleDraftOf, ruleOf, ruleText } from "./rule";
import { RuleForm } from "./rule-form";
import styles from "./system.module.css";

/** For how long ended runs are kept. */
export function Retention() {
  const may = useMay();
  const done = useDone();
  const [making, setMaking] = useState(false);
  const [changing, setChanging] = useState<string>();
  const [deleting, setDeleting] = useState<string>();
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
                {may("runs:delete", it.namespace ?? "*") && (
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
      {making && <RuleForm onDone={done} onClose={() => setMaking(false)} />}
      {changing !== undefined && (
        <Reading
          title={`Change the rule ${changing}`}
          read={() => readRule(changing)}
          onClose={() => setChanging(undefined)}
        >
          {(before) => (
            <RuleForm before={before} onDone={done} onClose={() => setChanging(undefined)} />
          )}
        </Reading>
      )}
      {deleting !== undefined && (
        <Delete name={deleting} onDone={done} onClose={() => setDeleting(undefined)} />
      )}
    </Card>
  );
}

interface DeleteProps {
  name: string;
  onDone: (text: string) => Promise<unknown>;
  onClose: () => void;
}

function Delete({ name, onDone, onClose }: DeleteProps) {
  const write = async (header: Guard) => {
    await api.DELETE("/api/v1/retention/{name}", { params: { path: { name }, header } });
    await onDone(`The rule ${name} is deleted`);
  };
  return (
    <Guarded
      title={`Delete the rule ${name}?`}
      action="Delete"
      danger
      read={() => readRule(name)}
      part={(it) => ruleOf(ruleDraftOf(it))}
      write={write}
      onClose={onClose}
    >
      <p>Runs that it would have deleted are kept from now on. Those that are gone stay gone.</p>
    </Guarded>
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
