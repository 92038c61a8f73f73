import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schema } from "../../api/client";
import { type Guard, type Shown, shown } from "../../api/version";
import { Change } from "../../kit/change";
import { Check, TextField } from "../../kit/field";
import { useToasts } from "../../kit/toast";
import { useMe } from "../../shell/me";
import styles from "./access.module.css";
import { covered, givable } from "./permissions";

export type Role = Schema<"RoleView">;

/** A role as it is now. */
export function readRole(name: string) {
  return shown<Role>(api.GET("/api/v1/roles/{name}", { params: { path: { name } } }));
}

/** What somebody may change of it. */
export function askedOf({ description, permissions }: Role): object {
  return { description, permissions: [...permissions].sort() };
}

interface RoleFormProps {
  before: Shown<Role> | undefined;
  onClose: () => void;
}

/** Makes a role, or changes one. */
export function RoleForm({ before, onClose }: RoleFormProps) {
  const client = useQueryClient();
  const toasts = useToasts();
  const { data: me } = useMe();
  const groups = me ? givable(me) : [];
  const every = groups.flatMap(([, permissions]) => permissions);
  const [name, setName] = useState(before?.it.name ?? "");
  const [description, setDescription] = useState(before?.it.description ?? "");
  const chosenOf = (role: Role | undefined) =>
    new Set(every.filter((it) => covered(it, role?.permissions ?? [])));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => chosenOf(before?.it));
  const toggle = (permissions: readonly string[], on: boolean) => {
    const next = new Set(chosen);
    for (const permission of permissions) {
      if (on) next.add(permission);
      else next.delete(permission);
    }
    setChosen(next);
  };
  const take = (now: Role) => {
    setDescription(now.description ?? "");
    setChosen(chosenOf(now));
  };
  const save = async (header: Guard) => {
    if (chosen.size === 0) throw new Error("A role allows at least one thing");
    await api.PUT("/api/v1/roles/{name}", {
      params: { path: { name }, header },
      body: { description, permissions: [...chosen] },
    });
    toasts.done(`The role ${name} is ${before ? "changed" : "made"}`);
    await client.invalidateQueries({ queryKey: ["roles"] });
  };
  return (
    <Change
      title={before ? `Change ${name}` : "New role"}
      action={before ? "Save" : "Make it"}
      of={before}
      read={() => readRole(name)}
      part={askedOf}
      write={save}
      onTake={take}
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
    </Change>
  );
}
