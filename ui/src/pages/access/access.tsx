import { Info } from "lucide-react";
import { useAddress } from "../../kit/filters";
import { Page } from "../../kit/page";
import { Banner } from "../../kit/states";
import { Tabs } from "../../kit/tabs";
import { useMe } from "../../shell/me";
import { Roles } from "./roles";
import { Tokens } from "./tokens";

type Tab = "tokens" | "roles";

/** Who may come in, and what they may do. */
export default function Access() {
  const [tab, setTab] = useAddress("tab", "tokens");
  const { data: me } = useMe();
  const current: Tab = tab === "roles" ? "roles" : "tokens";
  return (
    <Page title="Access">
      {me && !me.access_control && (
        <Banner tone="paused" icon={Info}>
          This server asks nobody for a token: it is for one person on one machine. Tokens that are
          made here count once it runs with <code>loom serve --access</code>.
        </Banner>
      )}
      <Tabs<Tab>
        label="Tokens and roles"
        items={[
          { name: "tokens", label: "Tokens" },
          { name: "roles", label: "Roles" },
        ]}
        current={current}
        onChoose={setTab}
      >
        {current === "tokens" ? <Tokens /> : <Roles />}
      </Tabs>
    </Page>
  );
}
