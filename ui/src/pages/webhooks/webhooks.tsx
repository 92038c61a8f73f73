import { useQueries } from "@tanstack/react-query";
import { Plus, Webhook as WebhookIcon } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api, data } from "../../api/client";
import { Button } from "../../kit/button";
import { Tag } from "../../kit/facts";
import { Choice, FilterBar, matches, SearchBox, useAddress } from "../../kit/filters";
import { Card, Page, Table } from "../../kit/page";
import { Empty, Failure, Loading } from "../../kit/states";
import { useMay } from "../../shell/me";
import { Actions } from "./actions";
import { WebhookForm } from "./form";
import { type Made, Secret } from "./secret";
import { eventsText, nameOf, stateOf, type Webhook } from "./spec";
import { StateTag, Trouble, UpTo } from "./state";
import { useWebhooks } from "./use-webhooks";
import styles from "./webhooks.module.css";

const STATES = [
  ["delivering", "Delivering"],
  ["failing", "Trying again"],
  ["paused", "Paused"],
] as const;

/** Who is told of what happens. */
export default function Webhooks() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Made>();
  const [search, setSearch] = useAddress("search");
  const [state, setState] = useAddress("state");
  const list = useWebhooks();
  const items = list.data?.items ?? [];
  const found = items.filter(
    (it) =>
      (state === "" || stateOf(it) === state) &&
      matches(search, it.url, it.description, eventsText(it), it.created_by),
  );
  const make = may("webhooks:write") && may("events:read") && (
    <Button kind="primary" icon={Plus} onClick={() => setMaking(true)}>
      New webhook
    </Button>
  );
  return (
    <Page title="Webhooks" actions={items.length > 0 && make}>
      {items.length > 0 && (
        <FilterBar>
          <SearchBox label="Search addresses and events" value={search} onChange={setSearch} />
          <Choice label="State" all="All" value={state} options={STATES} onChange={setState} />
        </FilterBar>
      )}
      <Card>
        {list.isPending && <Loading what="webhooks" />}
        {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.data && items.length === 0 && (
          <Empty icon={WebhookIcon} title="Nobody is told of what happens">
            <p>
              A webhook posts events to an address as they happen, signed and each at least once:
              that a run ended, say, to a chat or another system.
            </p>
            {make}
          </Empty>
        )}
        {items.length > 0 && found.length === 0 && (
          <Empty icon={WebhookIcon} title="No webhook is like that" />
        )}
        {found.length > 0 && <List of={found} />}
      </Card>
      {making && <WebhookForm onMade={setMade} onClose={() => setMaking(false)} />}
      {made && <Secret of={made} onClose={() => setMade(undefined)} />}
    </Page>
  );
}

function List({ of }: { of: Webhook[] }) {
  const hidden = <span className="visually-hidden">Actions</span>;
  const dead = useDead(of);
  return (
    <Table caption="Webhooks" head={["Posts to", "Events", "State", "Delivered up to", hidden]}>
      {of.map((it, at) => (
        <tr key={it.id}>
          <td className={styles.main}>
            <Link to={`/webhooks/${it.id}`} className={styles.name}>
              {nameOf(it)}
            </Link>
            {it.description && <p>{it.description}</p>}
          </td>
          <td className={styles.events}>{eventsText(it)}</td>
          <td className={styles.state}>
            <StateTag of={it} />{" "}
            {dead[at] && (
              <Link to={`/webhooks/${it.id}`}>
                <Tag tone="failed">Dead deliveries</Tag>
              </Link>
            )}
            <p>
              <Trouble of={it} />
            </p>
          </td>
          <td className={styles.soft}>
            <UpTo of={it} />
          </td>
          <td className={styles.actions}>
            <Actions of={it} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** Whether each has deliveries that were given up. */
function useDead(of: readonly Webhook[]): (boolean | undefined)[] {
  return useQueries({
    queries: of.map(({ id }) => ({
      queryKey: ["webhooks", "dead", id, "any"],
      queryFn: () =>
        data(
          api.GET("/api/v1/webhooks/{id}/dead", {
            params: { path: { id }, query: { limit: 1 } },
          }),
        ),
      refetchInterval: 10_000,
    })),
    combine: (results) => results.map((result) => result.data && result.data.items.length > 0),
  });
}
