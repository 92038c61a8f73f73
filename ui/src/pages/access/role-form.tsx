import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schema } from "../../api/client";
import { Confirm } from "../../kit/dialog";
import { Check, TextField } from "../../kit/field";
import { useToasts } from "../../kit/toast";
import { useMe } from "../../shell/me";
import styles from "./access.module.css";
import { covered, givable } from "./permissions";

interface RoleFormProps {
  before: Schema<"RoleView"> | undefined;
  onClose: () => void;
}

/** Makes a role, or changes one. */
export function RoleForm({ before, onClose }: RoleFormProps) {
  const client = useQueryClient();
  const toasts = useToasts();
  const { data: me } = useMe();
  const groups = me ? givable(me) : [];
  const every = groups.flatMap(([, permissions]) => permissions);
  const [name, setName] = useState(before?.name ?? "");
  const [description, setDescription] = useState(before?.description ?? "");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    () => new Set(every.filter((it) => covered(it, before?.permissions ?? []))),
  );
  const toggle = (permissions: readonly string[], on: boolean) => {
    const next = new Set(chosen);
    for (const permission of permissions) {
      if (on) next.add(permission);
      else next.delete(permission);
    }
    setChosen(next);
  };
  const save = async () => {
    if (chosen.size === 0) throw new Error("A role allows at least one thing");
    await api.PUT("/api/v1/roles/{name}", {
      params: { path: { name } },
      body: { description, permissions: [...chosen] },
    });
    toasts.done(`The role ${name} is ${before ? "changed" : "made"}`);
    await client.invalidateQueries({ queryKey: ["roles"] });
  };
  return (
    <Confirm
      title={before ? `Change ${before.name}` : "New role"}
      action={before ? "Save" : "Make it"}
      onConfirm={save}
      onClose={onClose}
    >
      {!before && (
        <TextField
          label="Name"
          required
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      )}
      <TextField
        label="What it is for"
        value={description}
        onChange={(event) => setDescription(event.target.value)}
      />
      <div className={styles.groups}>
        {groups.map(([resource, permissions]) => (
          <fieldset key={resource} className={styles.choices}>
            <legend>{resource}</legend>
            {permissions.map((permission) => (
              <Check
                key={permission}
                label={permission.slice(resource.length + 1)}
                aria-label={permission}
                checked={chosen.has(permission)}
                onChange={(event) => toggle([permission], event.target.checked)}
              />
            ))}
          </fieldset>
        ))}
      </div>
    </Confirm>
  );
}
