import { useQuery } from "@tanstack/react-query";
import { FileUp, FolderOpen } from "lucide-react";
import { useRef, useState } from "react";
import { Link } from "react-router";
import { api, data } from "../../../api/client";
import { Button } from "../../../kit/button";
import { Dialog } from "../../../kit/dialog";
import { TextArea, TextField } from "../../../kit/field";
import { Empty, Failure, Loading } from "../../../kit/states";
import { Tabs } from "../../../kit/tabs";
import styles from "./save.module.css";
import { TEMPLATES } from "./templates";

type Way = "registered" | "template" | "import";

/** Opens a workflow: one that is registered, a template, or a text from elsewhere. */
export function OpenDialog(props: {
  way: Way;
  onText: (text: string) => void;
  onClose: () => void;
}) {
  const { onText, onClose } = props;
  const [way, setWay] = useState<Way>(props.way);
  return (
    <Dialog title="Open a workflow" onClose={onClose}>
      <Tabs
        label="Where from"
        current={way}
        onChoose={setWay}
        items={[
          { name: "registered", label: "Registered" },
          { name: "template", label: "New from a template" },
          { name: "import", label: "Import" },
        ]}
      >
        <div className={styles.panelBody}>
          {way === "registered" && <Registered onClose={onClose} />}
          {way === "template" && (
            <ul className={styles.list}>
              {TEMPLATES.map(({ name, about, text }) => (
                <li key={name}>
                  <button type="button" onClick={() => onText(text)}>
                    <strong>{name}</strong>
                    <span>{about}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
          {way === "import" && <Import onText={onText} />}
        </div>
      </Tabs>
    </Dialog>
  );
}

function Registered({ onClose }: { onClose: () => void }) {
  const [sought, setSought] = useState("");
  const found = useQuery({
    queryKey: ["workflows", "to open"],
    queryFn: () => data(api.GET("/api/v1/workflows", { params: { query: { limit: 200 } } })),
  });
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading what="the workflows" />;
  const items = found.data.items.filter(({ namespace, name }) =>
    `${namespace}/${name}`.includes(sought.trim()),
  );
  if (found.data.items.length === 0) {
    return (
      <Empty icon={FolderOpen} title="Nothing is registered yet">
        <p>Save a workflow, and it is found here.</p>
      </Empty>
    );
  }
  return (
    <>
      <TextField
        label="Search"
        value={sought}
        onChange={(event) => setSought(event.target.value)}
      />
      <ul className={styles.list}>
        {items.map(({ namespace, name, version, description, tasks }) => (
          <li key={`${namespace}/${name}`}>
            <Link
              to={`/build/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`}
              onClick={onClose}
            >
              <strong>{name}</strong>
              <span>
                {namespace} · {version} · {tasks} {tasks === 1 ? "task" : "tasks"}
                {description && ` · ${description}`}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {found.data.next_cursor && (
        <p>These are the first 200; the page of workflows has them all.</p>
      )}
    </>
  );
}

function Import({ onText }: { onText: (text: string) => void }) {
  const [text, setText] = useState("");
  const [over, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const read = async (files: FileList | null) => {
    const [first] = files ?? [];
    if (first) onText(await first.text());
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button in it does the same by keys */}
      <div
        className={styles.drop}
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          void read(event.dataTransfer.files);
        }}
      >
        Drop a workflow file here
        <Button icon={FileUp} onClick={() => file.current?.click()}>
          Choose a file
        </Button>
        <input
          ref={file}
          type="file"
          accept=".yaml,.yml,.json"
          aria-label="Workflow file"
          hidden
          onChange={(event) => void read(event.target.files)}
        />
      </div>
      <TextArea
        label="Or paste its text"
        rows={6}
        value={text}
        placeholder={"workflow:\n  name: …"}
        onChange={(event) => setText(event.target.value)}
      />
      <div>
        <Button kind="primary" disabled={text.trim() === ""} onClick={() => onText(text)}>
          Open the text
        </Button>
      </div>
    </>
  );
}
