import { useInfiniteQuery } from "@tanstack/react-query";
import { FileJson, RotateCcw } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api, data, type Schema } from "../../api/client";
import { Button, IconButton } from "../../kit/button";
import { Confirm, Dialog } from "../../kit/dialog";
import { CardHead, More, Tag } from "../../kit/facts";
import { Card, Table } from "../../kit/page";
import { Scroll } from "../../kit/scroll";
import { Failure, Loading } from "../../kit/states";
import { When } from "../../kit/time";
import { useMay } from "../../shell/me";
import { mayWith, type Webhook } from "./spec";
import { useDone } from "./use-webhooks";
import styles from "./webhooks.module.css";

type Delivery = Schema<"DeadDelivery">;

/** Bodies are up to 512 KiB each. */
const PAGE = 20;

/** Deliveries that were given up, and how they are tried once more. */
export function Dead({ of }: { of: Webhook }) {
  const may = useMay();
  const [all, setAll] = useState(false);
  const list = useInfiniteQuery({
    queryKey: ["webhooks", "dead", of.id],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/webhooks/{id}/dead", {
          params: {
            path: { id: of.id },
            query: { limit: PAGE, ...(pageParam && { cursor: pageParam }) },
          },
        }),
      ),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 10_000,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const write = mayWith(may, "webhooks:write", of);
  return (
    <Card>
      <CardHead title="Dead deliveries">
        {write && items.length > 0 && (
          <Button icon={RotateCcw} onClick={() => setAll(true)}>
            Replay all
          </Button>
        )}
      </CardHead>
      {list.isPending && <Loading what="dead deliveries" />}
      {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data && items.length === 0 && (
        <p className={styles.note}>
          None. A delivery that fails {of.retry.max_attempts} times is given up, and waits here to
          be replayed.
        </p>
      )}
      {items.length > 0 && <List of={items} webhook={of} write={write} />}
      <More
        more={list.hasNextPage}
        busy={list.isFetchingNextPage}
        onMore={() => void list.fetchNextPage()}
      />
      {all && <ReplayAll of={of} onClose={() => setAll(false)} />}
    </Card>
  );
}

function List(props: { of: Delivery[]; webhook: Webhook; write: boolean }) {
  const { of, webhook, write } = props;
  const [reading, setReading] = useState<Delivery>();
  const [replaying, setReplaying] = useState<Delivery>();
  const hidden = <span className="visually-hidden">Actions</span>;
  return (
    <>
      <Table caption="Dead deliveries" head={["Event", "Run", "Given up", "Why", hidden]}>
        {of.map((it) => {
          const { type, run } = factsOf(it);
          return (
            <tr key={it.event}>
              <td>
                <strong>{type}</strong>
                <p className={styles.soft}>{it.event}</p>
              </td>
              <td>
                {run !== "" && (
                  <Link to={`/runs/${run}`} className="mono">
                    {run.slice(-6)}
                  </Link>
                )}
              </td>
              <td className={styles.soft}>
                <When at={it.at} /> after {it.attempts === 1 ? "1 try" : `${it.attempts} tries`}
              </td>
              <td className={styles.why}>{it.error}</td>
              <td className={styles.actions}>
                {it.body === undefined ? (
                  <Tag>too large to be kept</Tag>
                ) : (
                  <>
                    <IconButton
                      icon={FileJson}
                      label={`Show what ${it.event} says`}
                      onClick={() => setReading(it)}
                    />
                    {write && (
                      <IconButton
                        icon={RotateCcw}
                        label={`Replay ${it.event}`}
                        onClick={() => setReplaying(it)}
                      />
                    )}
                  </>
                )}
              </td>
            </tr>
          );
        })}
      </Table>
      {reading && <Body of={reading} onClose={() => setReading(undefined)} />}
      {replaying && (
        <Replay of={replaying} webhook={webhook} onClose={() => setReplaying(undefined)} />
      )}
    </>
  );
}

function factsOf({ body }: Delivery): { type: string; run: string } {
  const { type, run } = (body ?? {}) as { type?: string; run?: string };
  return { type: type ?? "An event", run: run ?? "" };
}

function Body({ of: { event, body }, onClose }: { of: Delivery; onClose: () => void }) {
  return (
    <Dialog title={`What ${event} says`} onClose={onClose} wide>
      <Scroll label="The body" className={styles.body}>
        <pre>{JSON.stringify(body, null, 2)}</pre>
      </Scroll>
    </Dialog>
  );
}

interface ReplayProps {
  of: Delivery;
  webhook: Webhook;
  onClose: () => void;
}

function Replay({ of: { event }, webhook, onClose }: ReplayProps) {
  const done = useDone();
  const act = async () => {
    const path = { id: webhook.id, event };
    const { delivered, status, error } = await data(
      api.POST("/api/v1/webhooks/{id}/dead/{event}/replay", { params: { path } }),
    );
    if (!delivered) throw new Error(`It was not taken: ${error ?? `status ${status}`}`);
    await done(`The event ${event} was taken`);
  };
  return (
    <Confirm title={`Replay ${event}?`} action="Replay" onConfirm={act} onClose={onClose}>
      <p>
        It is posted to <code>{webhook.url}</code> once more, as it was and under the same{" "}
        <code>webhook-id</code>. If it is taken it leaves this list.
      </p>
    </Confirm>
  );
}

function ReplayAll({ of, onClose }: { of: Webhook; onClose: () => void }) {
  const done = useDone();
  const act = async () => {
    const { delivered, left, error } = await data(
      api.POST("/api/v1/webhooks/{id}/dead/replay", { params: { path: { id: of.id } } }),
    );
    await done(`${delivered} were taken, ${left} are left`);
    if (error) throw new Error(`${delivered} were taken. The next was not: ${error}`);
  };
  return (
    <Confirm title="Replay all?" action="Replay all" onConfirm={act} onClose={onClose}>
      <p>
        All dead deliveries are posted to <code>{of.url}</code> once more, one after the other, the
        oldest first, until one is not taken or 15 seconds are over. Those that are taken leave this
        list.
      </p>
    </Confirm>
  );
}
