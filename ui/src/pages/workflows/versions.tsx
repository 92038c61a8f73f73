import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { api, type Schema } from "../../api/client";
import { type Guard, shown } from "../../api/version";
import { Button } from "../../kit/button";
import { Guarded } from "../../kit/change";
import { Tag } from "../../kit/facts";
import { Card, Table } from "../../kit/page";
import { When } from "../../kit/time";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import styles from "./workflows.module.css";

type Workflow = Schema<"WorkflowView">;

/** All versions of a workflow, and which of them may run. */
export function Versions({ all }: { all: Workflow[] }) {
  const may = useMay();
  const [turning, setTurning] = useState<Workflow>();
  const hidden = <span className="visually-hidden">Actions</span>;
  return (
    <Card>
      <Table caption="Versions" head={["Version", "State", "Tasks", "Registered", hidden]}>
        {all.map((it, at) => (
          <tr key={it.version}>
            <td className="mono">
              <Link to={`?version=${encodeURIComponent(it.version)}`}>{it.version}</Link>
            </td>
            <td>
              {it.disabled ? (
                <Tag tone="paused">Disabled</Tag>
              ) : (
                <Tag tone="succeeded">Enabled</Tag>
              )}
            </td>
            <td>{it.tasks}</td>
            <td className={styles.soft}>
              <When at={it.registered_at} /> by {it.registered_by}
            </td>
            <td className={styles.actions}>
              <Compare version={it} before={all[at + 1]} />
              {may("workflows:disable", it.namespace) && (
                <Button onClick={() => setTurning(it)}>{it.disabled ? "Enable" : "Disable"}</Button>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {turning && <Turn version={turning} onClose={() => setTurning(undefined)} />}
    </Card>
  );
}

function Compare({ version, before }: { version: Workflow; before: Workflow | undefined }) {
  if (!before) return null;
  const words = new URLSearchParams({
    tab: "text",
    version: version.version,
    against: before.version,
  });
  return <Link to={`?${words}`}>Changes since {before.version}</Link>;
}

function Turn({ version: it, onClose }: { version: Workflow; onClose: () => void }) {
  const client = useQueryClient();
  const toasts = useToasts();
  const path = { namespace: it.namespace, name: it.name, version: it.version };
  const turn = async (header: Guard) => {
    const params = { path, header };
    if (it.disabled) {
      await api.POST("/api/v1/workflows/{namespace}/{name}/{version}/enable", { params });
    } else {
      await api.POST("/api/v1/workflows/{namespace}/{name}/{version}/disable", { params });
    }
    toasts.done(`${it.name} ${it.version} is ${it.disabled ? "enabled" : "disabled"}`);
    await client.invalidateQueries({ queryKey: ["workflow", it.namespace, it.name] });
    await client.invalidateQueries({ queryKey: ["workflows"] });
  };
  return (
    <Guarded
      title={`${it.disabled ? "Enable" : "Disable"} ${it.name} ${it.version}?`}
      action={it.disabled ? "Enable" : "Disable"}
      danger={!it.disabled}
      read={() => readVersion(path)}
      part={({ disabled }) => ({ disabled })}
      write={turn}
      onClose={onClose}
    >
      {it.disabled ? (
        <p>New runs of this version are taken again.</p>
      ) : (
        <p>
          New runs of this version are refused, by hand, by schedules and by triggers. Runs under
          way go on. It can be enabled again.
        </p>
      )}
    </Guarded>
  );
}

/** A version as it is now. */
function readVersion(path: { namespace: string; name: string; version: string }) {
  return shown<{ disabled: boolean }>(
    api.GET("/api/v1/workflows/{namespace}/{name}/{version}", { params: { path } }),
  );
}
