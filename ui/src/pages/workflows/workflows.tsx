import { Hammer, Play, Workflow as WorkflowIcon } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import type { Schema } from "../../api/client";
import { useNamespaces, useWorkflows } from "../../api/lists";
import { IconButton } from "../../kit/button";
import { Tag, Tags } from "../../kit/facts";
import { Choice, FilterBar, matches, SearchBox, useAddress } from "../../kit/filters";
import { LinkButton } from "../../kit/link";
import { Card, Page, Table } from "../../kit/page";
import { Empty, Failure, Loading } from "../../kit/states";
import { When } from "../../kit/time";
import { useMay } from "../../shell/me";
import { StartRun } from "./start";
import styles from "./workflows.module.css";

type Workflow = Schema<"WorkflowView">;

/** Which workflows there are. */
export default function Workflows() {
  const may = useMay();
  const [search, setSearch] = useAddress("search");
  const [namespace, setNamespace] = useAddress("namespace");
  const [state, setState] = useAddress("state");
  const namespaces = useNamespaces();
  const list = useWorkflows(namespace);
  const found = (list.data?.items ?? []).filter(
    (it) =>
      matches(search, it.name, it.description, it.namespace, ...it.tags) &&
      (state === "" || (state === "disabled") === it.disabled),
  );
  const narrowed = search !== "" || namespace !== "" || state !== "";
  const none = list.data?.items.length === 0 && !narrowed;
  return (
    <Page
      title="Workflows"
      actions={
        may("workflows:register") &&
        !none && (
          <LinkButton kind="primary" icon={Hammer} to="/build">
            New workflow
          </LinkButton>
        )
      }
    >
      {!none && (
        <FilterBar>
          <SearchBox label="Search names, notes and tags" value={search} onChange={setSearch} />
          {namespaces.length > 1 && (
            <Choice
              label="Namespace"
              all="All"
              value={namespace}
              options={namespaces}
              onChange={setNamespace}
            />
          )}
          <Choice
            label="State"
            all="All"
            value={state}
            options={[
              ["enabled", "Enabled"],
              ["disabled", "Disabled"],
            ]}
            onChange={setState}
          />
        </FilterBar>
      )}
      {list.data?.more && <p>There are more: choose a namespace to search all of its workflows.</p>}
      <Card>
        {list.isPending && <Loading what="workflows" />}
        {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.data && found.length === 0 && <Nothing narrowed={narrowed} />}
        {found.length > 0 && <List of={found} many={namespaces.length > 1} />}
      </Card>
    </Page>
  );
}

function Nothing({ narrowed }: { narrowed: boolean }) {
  const may = useMay();
  if (narrowed) {
    return (
      <Empty icon={WorkflowIcon} title="No workflow is like that">
        <Link to="/workflows">Show all</Link>
      </Empty>
    );
  }
  return (
    <Empty icon={WorkflowIcon} title="No workflow yet">
      <p>
        Build one by dragging and linking, or register a file:{" "}
        <code>loom run workflow.yaml --server {location.origin}</code>
      </p>
      {may("workflows:register") && (
        <LinkButton kind="primary" icon={Hammer} to="/build">
          Open the builder
        </LinkButton>
      )}
    </Empty>
  );
}

function List({ of, many }: { of: Workflow[]; many: boolean }) {
  const may = useMay();
  const [starting, setStarting] = useState<Workflow>();
  const head = ["Workflow", "Version", "Tasks", "Registered", <Hidden key="do">Actions</Hidden>];
  return (
    <>
      <Table caption="Workflows" head={head}>
        {of.map((it) => (
          <tr key={`${it.namespace}/${it.name}`}>
            <td className={styles.main}>
              <Link to={addressOf(it)} className={styles.name}>
                {many && <span>{it.namespace} / </span>}
                {it.name}
              </Link>
              {it.disabled && <Tag tone="paused">Disabled</Tag>}
              <Tags of={it.tags} />
              {it.description && <p>{it.description}</p>}
            </td>
            <td className="mono">{it.version}</td>
            <td>{it.tasks}</td>
            <td className={styles.soft}>
              <When at={it.registered_at} /> by {it.registered_by}
            </td>
            <td className={styles.actions}>
              {may("runs:start", it.namespace) && !it.disabled && (
                <IconButton icon={Play} label={`Run ${it.name}`} onClick={() => setStarting(it)} />
              )}
              <LinkButton
                kind="quiet"
                icon={Hammer}
                to={`/build/${it.namespace}/${it.name}`}
                label={`Open ${it.name} in the builder`}
              />
            </td>
          </tr>
        ))}
      </Table>
      {starting && <StartRun workflow={starting} onClose={() => setStarting(undefined)} />}
    </>
  );
}

function Hidden({ children }: { children: string }) {
  return <span className="visually-hidden">{children}</span>;
}

/** Where a workflow's own page is. */
export function addressOf({ namespace, name }: { namespace: string; name: string }): string {
  return `/workflows/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}
