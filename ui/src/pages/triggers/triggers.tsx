import { useQuery } from "@tanstack/react-query";
import { FileInput, Globe, Plus, Zap } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api, data } from "../../api/client";
import { all, useNamespaces } from "../../api/lists";
import { useLive } from "../../api/live";
import { Button } from "../../kit/button";
import { Dialog } from "../../kit/dialog";
import { Copyable, Tag } from "../../kit/facts";
import { Choice, FilterBar, matches, SearchBox, useAddress } from "../../kit/filters";
import { Card, Page, Table } from "../../kit/page";
import { Empty, Failure, Loading } from "../../kit/states";
import { When } from "../../kit/time";
import { useMay } from "../../shell/me";
import { Actions } from "./actions";
import { TriggerForm } from "./form";
import type { Trigger } from "./spec";
import styles from "./triggers.module.css";

const KINDS = [
  ["request", "Requests"],
  ["file", "Files"],
] as const;

/** What from outside starts runs. */
export default function Triggers() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<{ name: string; secret: string }>();
  const [search, setSearch] = useAddress("search");
  const [namespace, setNamespace] = useAddress("namespace");
  const [kind, setKind] = useAddress("kind");
  const namespaces = useNamespaces();
  const list = useQuery({
    queryKey: ["triggers", namespace],
    queryFn: () =>
      all((query) =>
        data(
          api.GET("/api/v1/triggers", {
            params: { query: { ...query, ...(namespace && { namespace }) } },
          }),
        ),
      ),
  });
  useLive({ types: ["run.started", "run.finished"] }, ["triggers", namespace], 2000);
  const items = list.data?.items ?? [];
  const found = items.filter(
    (it) =>
      (kind === "" || it.kind === kind) &&
      matches(search, it.name, it.description, it.run.workflow, it.kind === "file" ? it.file : ""),
  );
  const make = may("triggers:write") && may("runs:start") && (
    <Button kind="primary" icon={Plus} onClick={() => setMaking(true)}>
      New trigger
    </Button>
  );
  const tell = (name: string, secret: string) => setSecret({ name, secret });
  return (
    <Page title="Triggers" actions={items.length > 0 && make}>
      {(items.length > 0 || namespace !== "") && (
        <FilterBar>
          <SearchBox label="Search triggers" value={search} onChange={setSearch} />
          <Choice label="Started by" all="All" value={kind} options={KINDS} onChange={setKind} />
          {namespaces.length > 1 && (
            <Choice
              label="Namespace"
              all="All"
              value={namespace}
              options={namespaces}
              onChange={setNamespace}
            />
          )}
        </FilterBar>
      )}
      <Card>
        {list.isPending && <Loading what="triggers" />}
        {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.data && items.length === 0 && (
          <Empty icon={Zap} title="Nothing from outside starts runs">
            <p>
              A trigger starts a run when another system sends a request, such as GitHub after a
              push, or when a file comes or changes.
            </p>
            {make}
          </Empty>
        )}
        {items.length > 0 && found.length === 0 && (
          <Empty icon={Zap} title="No trigger is like that" />
        )}
        {found.length > 0 && <List of={found} onSecret={tell} />}
      </Card>
      {making && <TriggerForm onSecret={tell} onClose={() => setMaking(false)} />}
      {secret && <Secret {...secret} onClose={() => setSecret(undefined)} />}
    </Page>
  );
}

/** What whoever calls has to know, this once. */
function Secret(props: { name: string; secret: string; onClose: () => void }) {
  const { name, secret, onClose } = props;
  return (
    <Dialog
      title={`The secret of ${name}`}
      onClose={onClose}
      foot={
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      }
    >
      <p>Requests go to</p>
      <Copyable text={`${location.origin}/hooks/${name}`} label="Copy the address" />
      <p>and prove themselves by this secret. It is shown this once.</p>
      <Copyable text={secret} label="Copy the secret" />
    </Dialog>
  );
}

interface ListProps {
  of: Trigger[];
  onSecret: (name: string, secret: string) => void;
}

function List({ of, onSecret }: ListProps) {
  const hidden = <span className="visually-hidden">Actions</span>;
  return (
    <Table caption="Triggers" head={["Trigger", "Started by", "So far", "Changed", hidden]}>
      {of.map((it) => (
        <tr key={it.name}>
          <td className={styles.main}>
            <strong>{it.name}</strong> {it.paused && <Tag tone="paused">Paused</Tag>}
            <p>
              runs{" "}
              <Link to={`/workflows/${it.namespace}/${it.run.workflow}`}>{it.run.workflow}</Link>
              {it.description && `: ${it.description}`}
            </p>
            <Trouble of={it} />
          </td>
          <td>
            <By of={it} />
          </td>
          <td className={styles.soft}>
            <SoFar of={it} />
          </td>
          <td className={styles.soft}>
            <When at={it.changed_at} /> by {it.changed_by}
          </td>
          <td className={styles.actions}>
            <Actions of={it} onSecret={onSecret} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function By({ of }: { of: Trigger }) {
  const [Icon, word, what] =
    of.kind === "file"
      ? [FileInput, "file", of.file]
      : [Globe, "request", `POST /hooks/${of.name}`];
  return (
    <>
      <Tag>
        <Icon size={12} aria-hidden /> {word}
      </Tag>
      <code className={styles.code}>{what}</code>
    </>
  );
}

function SoFar({ of }: { of: Trigger }) {
  if (of.kind === "request") {
    const words = new URLSearchParams({ initiator: `trigger:${of.name}` });
    return <Link to={`/runs?${words}`}>Its runs</Link>;
  }
  const { counts, under_way, waiting, last } = of.state ?? {};
  return (
    <>
      {counts?.fired ?? 0} fired
      {(under_way ?? 0) > 0 && `, ${under_way} under way`}
      {(waiting ?? 0) > 0 && `, ${waiting} waiting`}
      {last && (
        <>
          <br />
          last <Link to={`/runs/${last.run}`}>{last.file.split("/").pop()}</Link>
        </>
      )}
    </>
  );
}

function Trouble({ of }: { of: Trigger }) {
  const said = [of.state?.trouble, of.state?.problem].filter(Boolean);
  return said.map((text) => (
    <p key={text} className={styles.problem}>
      {text}
    </p>
  ));
}
