import { useQuery } from "@tanstack/react-query";
import { Puzzle, ShieldCheck, TriangleAlert } from "lucide-react";
import type { Schema } from "../../api/client";
import { pluginsQuery } from "../../api/lists";
import { CardHead, Tag, Tags } from "../../kit/facts";
import { FilterBar, matches, SearchBox, useAddress } from "../../kit/filters";
import { Card, Page, Table } from "../../kit/page";
import { Prose } from "../../kit/prose";
import { Banner, Empty, Failure, Loading } from "../../kit/states";
import { paramsOf, takesOthers } from "./params";
import styles from "./plugins.module.css";

type Plugin = Schema<"PluginView">;

/** What tasks can run. */
export default function Plugins() {
  const [search, setSearch] = useAddress("search");
  const list = useQuery(pluginsQuery);
  const items = list.data?.items ?? [];
  const found = items.filter((it) =>
    matches(
      search,
      it.name,
      ...it.permissions,
      ...paramsOf(it.params_schema).map(({ name }) => name),
    ),
  );
  return (
    <Page title="Plugins">
      <p className={styles.about}>
        What tasks of workflows can run. An executable, a folder with a manifest or a Python file in{" "}
        <code>plugins/</code> beside the server is one more.
      </p>
      <FilterBar>
        <SearchBox label="Search plugins and parameters" value={search} onChange={setSearch} />
      </FilterBar>
      {list.isPending && <Loading what="plugins" />}
      {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data && found.length === 0 && <Empty icon={Puzzle} title="No plugin is like that" />}
      <div className={styles.grid}>
        {found.map((it) => (
          <PluginCard key={it.name} of={it} />
        ))}
      </div>
    </Page>
  );
}

function PluginCard({ of: it }: { of: Plugin }) {
  const params = paramsOf(it.params_schema);
  if (it.problem) {
    const { code, message, help } = it.problem;
    return (
      <Card>
        <CardHead title={<code className={styles.name}>{it.name}</code>} />
        <Banner tone="failed" icon={TriangleAlert}>
          <p>
            It cannot be used ({code}): <Prose text={message} />
          </p>
          <p>
            To mend it: <Prose text={help} />
          </p>
        </Banner>
      </Card>
    );
  }
  return (
    <Card>
      <CardHead title={<code className={styles.name}>{it.name}</code>}>
        {it.permissions.length > 0 && (
          <span className={styles.permissions}>
            <ShieldCheck size={15} aria-hidden />
            <span className="visually-hidden">Permissions:</span>
            <Tags of={it.permissions} tone="paused" />
            {it.requires_auth ? "always asked for" : "asked for where a task says so"}
          </span>
        )}
      </CardHead>
      {(it.inputs.length > 0 || it.outputs.length > 0) && (
        <p className={styles.flow}>
          {it.inputs.length > 0 && (
            <>
              takes <Tags of={it.inputs} tone="running" />{" "}
            </>
          )}
          {it.outputs.length > 0 && (
            <>
              emits <Tags of={it.outputs} tone="succeeded" />
            </>
          )}
        </p>
      )}
      {params.length > 0 ? (
        <Table caption={`Parameters of ${it.name}`} head={["Parameter", "Type", "What it is"]}>
          {params.map((param) => (
            <tr key={param.name}>
              <td>
                <code>{param.name}</code> {param.required && <Tag tone="running">needed</Tag>}
              </td>
              <td className={styles.type}>{param.type}</td>
              <td className={styles.what}>
                <Prose text={param.what} />
                {param.fallback !== undefined && (
                  <span className={styles.fallback}>
                    {" "}
                    <code>{param.fallback}</code> if absent
                  </span>
                )}
              </td>
            </tr>
          ))}
        </Table>
      ) : (
        <p className={styles.flow}>
          {takesOthers(it.params_schema) ? "Takes any parameters." : "Takes no parameters."}
        </p>
      )}
    </Card>
  );
}
