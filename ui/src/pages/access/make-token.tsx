import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data, type Schema } from "../../api/client";
import { rolesQuery, useNamespaces } from "../../api/lists";
import { Confirm } from "../../kit/dialog";
import { Check, Select, TextField } from "../../kit/field";
import kit from "../../kit/kit.module.css";
import styles from "./access.module.css";

const DAY = 86_400;
const ENDS = [
  ["30", "in 30 days"],
  ["90", "in 90 days"],
  ["365", "in a year"],
  ["", "never"],
] as const;

interface MakeTokenProps {
  onMade: (token: Schema<"TokenCreated">) => void;
  onClose: () => void;
}

/** Makes a token. */
export function MakeToken({ onMade, onClose }: MakeTokenProps) {
  const client = useQueryClient();
  const namespaces = useNamespaces();
  const roles = useQuery(rolesQuery);
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>(["viewer"]);
  const [places, setPlaces] = useState("");
  const [days, setDays] = useState("90");
  const make = async () => {
    if (chosen.length === 0) throw new Error("A token has at least one role");
    const within = places.split(/[\s,]+/).filter(Boolean);
    const made = await data(
      api.POST("/api/v1/tokens", {
        body: {
          name,
          roles: [...chosen],
          ...(within.length > 0 && { namespaces: within }),
          ...(days !== "" && { expires_in_s: Number(days) * DAY }),
        },
      }),
    );
    onMade(made);
    await client.invalidateQueries({ queryKey: ["tokens"] });
  };
  const toggle = (role: string, on: boolean) =>
    setChosen(on ? [...chosen, role] : chosen.filter((other) => other !== role));
  return (
    <Confirm title="New token" action="Make it" onConfirm={make} onClose={onClose}>
      <TextField
        label="Who or what will use it"
        required
        autoFocus
        maxLength={200}
        placeholder="ci"
        hint="Recorded with all that they do"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <fieldset className={styles.choices}>
        <legend>Roles</legend>
        {(roles.data?.items ?? []).map((role) => (
          <Check
            key={role.name}
            label={
              <span>
                <strong>{role.name}</strong> <span className={kit.hint}>{role.description}</span>
              </span>
            }
            checked={chosen.includes(role.name)}
            onChange={(event) => toggle(role.name, event.target.checked)}
          />
        ))}
      </fieldset>
      <TextField
        label="Only in these namespaces"
        placeholder="everywhere"
        hint={namespaces.length > 0 ? `Known: ${namespaces.join(", ")}` : "Names with commas"}
        value={places}
        onChange={(event) => setPlaces(event.target.value)}
      />
      <Select label="It ends" value={days} onChange={(event) => setDays(event.target.value)}>
        {ENDS.map(([value, label]) => (
          <option key={label} value={value}>
            {label}
          </option>
        ))}
      </Select>
    </Confirm>
  );
}
