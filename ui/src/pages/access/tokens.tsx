import { useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { api, data, type Schema } from "../../api/client";
import { all } from "../../api/lists";
import { Button } from "../../kit/button";
import { Confirm, Dialog } from "../../kit/dialog";
import { Copyable, Tag, Tags } from "../../kit/facts";
import { Choice, FilterBar, matches, SearchBox, useAddress } from "../../kit/filters";
import { Card, Table } from "../../kit/page";
import { Empty, Failure, Loading } from "../../kit/states";
import { useNow, When } from "../../kit/time";
import { useToasts } from "../../kit/toast";
import { useMay, useMe } from "../../shell/me";
import styles from "./access.module.css";
import { MakeToken } from "./make-token";

type Token = Schema<"TokenView">;
type State = "active" | "expired" | "revoked";

const STATES = [
  ["active", "Active"],
  ["expired", "Expired"],
  ["revoked", "Revoked"],
] as const;

function stateOf(it: Token, now: number): State {
  if (it.revoked_at) return "revoked";
  return it.expires_at && Date.parse(it.expires_at) <= now ? "expired" : "active";
}

/** All tokens, those that have ended too. */
export function Tokens() {
  const may = useMay();
  const now = useNow(10_000);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schema<"TokenCreated">>();
  const [search, setSearch] = useAddress("search");
  const [state, setState] = useAddress("state", "active");
  const list = useQuery({
    queryKey: ["tokens"],
    queryFn: () => all((query) => data(api.GET("/api/v1/tokens", { params: { query } }))),
  });
  const items = list.data?.items ?? [];
  const found = items
    .filter((it) => state === "" || stateOf(it, now) === state)
    .filter((it) => matches(search, it.name, it.created_by, ...it.roles, ...(it.namespaces ?? [])));
  const make = may("tokens:write", "*") && (
    <Button kind="primary" icon={Plus} onClick={() => setMaking(true)}>
      New token
    </Button>
  );
  return (
    <div className={styles.stack}>
      {items.length > 0 && (
        <div className={styles.bar}>
          <FilterBar>
            <SearchBox
              label="Search names, roles, namespaces"
              value={search}
              onChange={setSearch}
            />
            <Choice label="State" all="All" value={state} options={STATES} onChange={setState} />
          </FilterBar>
          {make}
        </div>
      )}
      <Card>
        {list.isPending && <Loading what="tokens" />}
        {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.data && items.length === 0 && (
          <Empty icon={KeyRound} title="No tokens yet">
            <p>A token lets a person or a program in, with the roles that you give it.</p>
            {make}
          </Empty>
        )}
        {items.length > 0 && found.length === 0 && (
          <Empty icon={KeyRound} title="No token is like that" />
        )}
        {found.length > 0 && <List of={found} now={now} />}
      </Card>
      {making && <MakeToken onMade={setMade} onClose={() => setMaking(false)} />}
      {made && <Made token={made} onClose={() => setMade(undefined)} />}
    </div>
  );
}

/** The token itself, this once. */
function Made({ token, onClose }: { token: Schema<"TokenCreated">; onClose: () => void }) {
  return (
    <Dialog
      title={`The token of ${token.name}`}
      onClose={onClose}
      foot={
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      }
    >
      <p>It is shown this once: the server keeps only its hash.</p>
      <Copyable text={token.token} label="Copy the token" />
    </Dialog>
  );
}

function List({ of, now }: { of: Token[]; now: number }) {
  const may = useMay();
  const { data: me } = useMe();
  const [revoking, setRevoking] = useState<Token>();
  const hidden = <span className="visually-hidden">Actions</span>;
  const head = ["Name", "Roles", "Where", "Made", "Last used", "Ends", hidden];
  return (
    <>
      <Table caption="Tokens" head={head}>
        {of.map((it) => (
          <tr key={it.id}>
            <td className={styles.main}>
              <strong>{it.name}</strong> {it.id === me?.token && <Tag tone="running">you</Tag>}
              <Ended state={stateOf(it, now)} />
            </td>
            <td>
              <Tags of={it.roles} />
            </td>
            <td>{it.namespaces ? <Tags of={it.namespaces} /> : "everywhere"}</td>
            <td className={styles.soft}>
              <When at={it.created_at} /> by {it.created_by}
            </td>
            <td className={styles.soft}>
              {it.last_used_at ? <When at={it.last_used_at} /> : "never"}
            </td>
            <td className={styles.soft}>{it.expires_at ? <When at={it.expires_at} /> : "never"}</td>
            <td className={styles.actions}>
              {may("tokens:write", "*") && stateOf(it, now) === "active" && (
                <Button onClick={() => setRevoking(it)}>Revoke</Button>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {revoking && (
        <Revoke
          token={revoking}
          own={revoking.id === me?.token}
          onClose={() => setRevoking(undefined)}
        />
      )}
    </>
  );
}

function Ended({ state }: { state: State }) {
  if (state === "active") return null;
  return <Tag tone="skipped">{state === "revoked" ? "Revoked" : "Expired"}</Tag>;
}

function Revoke(props: { token: Token; own: boolean; onClose: () => void }) {
  const { token, own, onClose } = props;
  const client = useQueryClient();
  const toasts = useToasts();
  const revoke = async () => {
    await api.POST("/api/v1/tokens/{id}/revoke", { params: { path: { id: token.id } } });
    toasts.done(`The token of ${token.name} is revoked`);
    await client.invalidateQueries({ queryKey: ["tokens"] });
  };
  return (
    <Confirm
      title={`Revoke the token of ${token.name}?`}
      action="Revoke"
      danger
      onConfirm={revoke}
      onClose={onClose}
    >
      <p>
        It ends at once and for good: whoever shows it is refused from now on.
        {own && " It is the one that you are signed in with: you will be signed out."}
      </p>
    </Confirm>
  );
}
