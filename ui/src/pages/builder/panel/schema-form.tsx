/** A form made of a plugin's JSON Schema; what no control fits is written as YAML. */

import { isMapValue, type Json, type JsonMap } from "../document/json";
import { ChoiceValue, MapRows, NumberValue, TextValue, YamlValue } from "./fields";
import styles from "./panel.module.css";
import { controlOf, propertiesOf, type Schema } from "./schema";

export function SchemaForm(props: {
  schema: Schema | undefined;
  value: JsonMap;
  disabled: boolean;
  onCommit: (key: string, value: Json | undefined) => void;
  onCommitAll: (value: JsonMap | undefined) => void;
}) {
  const { schema, value, disabled, onCommit, onCommitAll } = props;
  const properties = propertiesOf(schema);
  if (!schema || (properties.length === 0 && schema.additionalProperties !== false)) {
    return (
      <YamlValue
        label="Parameters (YAML)"
        hint="The plugin does not say which it takes."
        value={Object.keys(value).length > 0 ? value : undefined}
        disabled={disabled}
        onCommit={(next) => onCommitAll(isMapValue(next) ? next : undefined)}
      />
    );
  }
  const others = Object.keys(value).filter((key) => !properties.some(([name]) => name === key));
  return (
    <>
      {properties.length === 0 && others.length === 0 && (
        <p className={styles.hint}>It takes no parameters.</p>
      )}
      {properties.map(([name, of, required]) => (
        <Property
          key={name}
          name={name}
          schema={of}
          required={required}
          value={value[name]}
          disabled={disabled}
          onCommit={(next) => onCommit(name, next)}
        />
      ))}
      {others.map((name) => (
        <YamlValue
          key={name}
          label={name}
          hint="The plugin does not know this parameter."
          value={value[name]}
          disabled={disabled}
          onCommit={(next) => onCommit(name, next)}
        />
      ))}
    </>
  );
}

function Property(props: {
  name: string;
  schema: Schema;
  required: boolean;
  value: Json | undefined;
  disabled: boolean;
  onCommit: (value: Json | undefined) => void;
}) {
  const { name, schema, required, value, disabled, onCommit } = props;
  const control = controlOf(name, schema, value);
  const label = required ? `${name} *` : name;
  const common = { label, hint: schema.description, disabled };
  switch (control.kind) {
    case "choice":
      return (
        <ChoiceValue
          {...common}
          value={value}
          choices={control.choices.map(String)}
          unset={required ? "Choose…" : "Not set"}
          onCommit={(text) => onCommit(control.choices.find((choice) => String(choice) === text))}
        />
      );
    case "number":
      return <NumberValue {...common} value={value} words={control.words} onCommit={onCommit} />;
    case "text":
      return (
        <TextValue
          {...common}
          value={typeof value === "string" ? value : ""}
          multiline={control.multiline}
          onCommit={onCommit}
        />
      );
    case "map":
      return (
        <MapRows
          {...common}
          value={isMapValue(value) ? value : {}}
          keyLabel="New key"
          textsOnly={control.textsOnly}
          onCommit={onCommit}
        />
      );
    default:
      return <YamlValue {...common} value={value} onCommit={onCommit} />;
  }
}
