import { Hammer, List, ListFilter, RefreshCw, Rocket, Workflow } from "lucide-react";
import { useMemo, useState } from "react";
import { useAddress } from "../../kit/address";
import { Button } from "../../kit/button";
import { LinkButton } from "../../kit/link";
import { Page } from "../../kit/page";
import { Empty, Failure, Loading } from "../../kit/states";
import { useNow } from "../../kit/time";
import { useMay } from "../../shell/me";
import { counted } from "../run/words";
import { BulkBar, useBulkActs } from "./bulk";
import { filterOf } from "./filter";
import { Filters } from "./filters";
import { RunTable } from "./run-table";
import styles from "./runs.module.css";
import { StateChips } from "./state-chips";
import { useRuns } from "./use-runs";

/** All runs, the youngest first. */
export default function Runs() {
  const [params] = useAddress();
  const minute = Math.floor(useNow(30_000) / 60_000);
  const query = params.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the query is what the filter is read from
  const filter = useMemo(
    () => filterOf(params, minute * 60_000),
    [query, params.has("since") && minute],
  );
  const { list, runs, fresh, refresh } = useRuns(filter);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const canChoose = useBulkActs().length > 0;
  return (
    <div className={styles.fill}>
      <Page title="Runs">
        <Filters />
        <StateChips filter={filter} />
        {runs.length > 0 && (
          <BulkBar
            filter={filter}
            runs={runs.filter((run) => chosen.has(run.id))}
            onClear={() => setChosen(new Set())}
          />
        )}
        <div className={styles.listBox}>
          <div role="status" className={styles.fresh}>
            {fresh > 0 && (
              <Button icon={RefreshCw} kind="primary" onClick={() => void refresh()}>
                {fresh >= 200 ? "More than 200 new runs" : counted(fresh, "new run")}: show
              </Button>
            )}
          </div>
          {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
          {list.isLoading && <Loading what="the runs" />}
          {list.data && runs.length === 0 && <Nothing filtered={query !== ""} />}
          {runs.length > 0 && (
            <RunTable
              runs={runs}
              chosen={chosen}
              onChoose={canChoose ? setChosen : undefined}
              hasMore={list.hasNextPage}
              onMore={() => {
                if (!list.isFetchingNextPage) void list.fetchNextPage();
              }}
            />
          )}
        </div>
      </Page>
    </div>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const may = useMay();
  if (filtered) {
    return (
      <Empty icon={ListFilter} title="No run is like this">
        <p>Take a filter away, or look further back.</p>
        <LinkButton icon={List} to="/runs">
          Show all runs
        </LinkButton>
      </Empty>
    );
  }
  return (
    <Empty icon={Rocket} title="No run yet">
      <p>
        Runs appear here as soon as one is started: from a workflow, by a schedule or a trigger, or
        with <code>loom run</code>.
      </p>
      <div className={styles.ways}>
        <LinkButton icon={Workflow} to="/workflows">
          Choose a workflow
        </LinkButton>
        {may("workflows:register") && (
          <LinkButton icon={Hammer} to="/build">
            Build a workflow
          </LinkButton>
        )}
      </div>
    </Empty>
  );
}
