import { useQuery } from "@tanstack/react-query";
import { CirclePause, Hammer, SearchX } from "lucide-react";
import { lazy, Suspense } from "react";
import { Link, useParams } from "react-router";
import { api, data, type Schema } from "../../api/client";
import { all } from "../../api/lists";
import { CardHead, Facts, Tag, Tags } from "../../kit/facts";
import { Choice, useAddress } from "../../kit/filters";
import { LinkButton } from "../../kit/link";
import { Card, Page } from "../../kit/page";
import { Banner, Failure, Loading } from "../../kit/states";
import { Tabs } from "../../kit/tabs";
import { When } from "../../kit/time";
import { Unshown } from "../../kit/unshown";
import { useMay } from "../../shell/me";
import { Graph } from "./graph";
import { RecentRuns } from "./recent";
import { StartButton } from "./start";
import { Versions } from "./versions";
import styles from "./workflows.module.css";

// The editor is big, and only the text needs it.
const Source = lazy(() => import("./source"));

type Workflow = Schema<"WorkflowView">;
type Tab = "overview" | "text" | "versions";

/** One workflow: what it does, its text, its versions, its runs. */
export default function WorkflowPage() {
  const { namespace = "", name = "" } = useParams();
  const versions = useVersions(namespace, name);
  const [wanted, setWanted] = useAddress("version");
  const newest = versions.data?.items[0];
  const found = versions.data?.items.find(({ version }) => version === wanted);
  const shown = found ?? newest;
  if (versions.error && !versions.data) {
    return (
      <Unshown
        what="workflow"
        name={`${namespace}/${name}`}
        error={versions.error}
        retry={() => void versions.refetch()}
        perhaps="Nobody has saved a workflow of this name in this namespace."
        all="/workflows"
      >
        <LinkButton icon={Hammer} to="/build">
          Build a workflow
        </LinkButton>
      </Unshown>
    );
  }
  return (
    <Page title={name} actions={shown && <Actions of={shown} />}>
      {versions.isPending && <Loading what="the workflow" />}
      {shown && (
        <>
          <div className={styles.legend}>
            <Link to={`/workflows?namespace=${encodeURIComponent(namespace)}`}>{namespace}</Link>
            <Choice
              label="Version"
              all={`${newest?.version} (newest)`}
              value={shown === newest ? "" : shown.version}
              options={(versions.data?.items ?? []).slice(1).map(({ version }) => version)}
              onChange={setWanted}
            />
            {shown.disabled && <Tag tone="paused">Disabled</Tag>}
            <Tags of={shown.tags} />
          </div>
          {wanted !== "" && !found && (
            <Banner tone="paused" icon={SearchX}>
              There is no version {wanted} of it. This is the newest, {shown.version}.
            </Banner>
          )}
          {shown.disabled && (
            <Banner tone="paused" icon={CirclePause}>
              This version is disabled: new runs of it are refused. Runs under way go on.
            </Banner>
          )}
          <Parts of={shown} all={versions.data?.items ?? []} />
        </>
      )}
    </Page>
  );
}

function Actions({ of }: { of: Workflow }) {
  const may = useMay();
  return (
    <>
      <LinkButton icon={Hammer} to={`/build/${of.namespace}/${of.name}`}>
        Open in the builder
      </LinkButton>
      {may("runs:start", of.namespace) && !of.disabled && <StartButton workflow={of} />}
    </>
  );
}

function Parts({ of, all }: { of: Workflow; all: Workflow[] }) {
  const [tab, setTab] = useAddress("tab", "overview");
  return (
    <Tabs<Tab>
      label="Parts of the workflow"
      items={[
        { name: "overview", label: "Overview" },
        { name: "text", label: "Text" },
        { name: "versions", label: `Versions (${all.length})` },
      ]}
      current={tab === "text" || tab === "versions" ? tab : "overview"}
      onChoose={setTab}
    >
      {tab === "text" ? (
        <Text of={of} all={all} />
      ) : tab === "versions" ? (
        <Versions all={all} />
      ) : (
        <Overview of={of} />
      )}
    </Tabs>
  );
}

function Overview({ of }: { of: Workflow }) {
  const needs = useDocument(of).data?.needs ?? [];
  return (
    <div className={styles.stack}>
      <Card>
        <Facts
          items={[
            of.description !== "" && ["What it is for", of.description],
            ["Tasks", of.tasks],
            [
              "Registered",
              <span key="at">
                <When at={of.registered_at} /> by {of.registered_by}
              </span>,
            ],
            [
              "Needs",
              needs.length === 0
                ? "no variables"
                : needs.map((need) => <code key={need.name}>{need.name} </code>),
            ],
          ]}
        />
      </Card>
      <Card>
        <CardHead title="Graph">
          <span className={styles.legend}>A line is a variable; a dashed one is order alone.</span>
        </CardHead>
        <Graph of={of} />
      </Card>
      <RecentRuns namespace={of.namespace} workflow={of.name} />
    </div>
  );
}

function Text({ of, all }: { of: Workflow; all: Workflow[] }) {
  const [against, setAgainst] = useAddress("against");
  const document = useDocument(of);
  const other = all.find(({ version }) => version === against);
  const older = useDocument(other);
  if (document.error) return <Failure error={document.error} />;
  const waits = !document.data || (other && !older.data);
  return (
    <div className={styles.stack}>
      {all.length > 1 && (
        <Choice
          label="Compare with"
          all="nothing"
          value={other?.version ?? ""}
          options={all.map(({ version }) => version).filter((version) => version !== of.version)}
          onChange={setAgainst}
        />
      )}
      <Card>
        <Suspense fallback={<Loading what="the text" />}>
          {waits ? (
            <Loading what="the text" />
          ) : (
            <Source
              text={document.data.source ?? ""}
              before={other ? (older.data?.source ?? "") : undefined}
              label={`The text of ${of.name} ${of.version}`}
            />
          )}
        </Suspense>
      </Card>
    </div>
  );
}

function useVersions(namespace: string, name: string) {
  return useQuery({
    queryKey: ["workflow", namespace, name],
    queryFn: () =>
      all((query) =>
        data(
          api.GET("/api/v1/workflows/{namespace}/{name}", {
            params: { path: { namespace, name }, query },
          }),
        ),
      ),
  });
}

/** One version with its text and what it needs. */
function useDocument(of: Workflow | undefined) {
  const { namespace = "", name = "", version = "" } = of ?? {};
  return useQuery({
    queryKey: ["workflow", namespace, name, version],
    queryFn: () =>
      data(
        api.GET("/api/v1/workflows/{namespace}/{name}/{version}", {
          params: { path: { namespace, name, version } },
        }),
      ),
    enabled: of !== undefined,
  });
}
