import { Compass, LayoutDashboard } from "lucide-react";
import { useLocation } from "react-router";
import { LinkButton } from "../kit/link";
import { Page } from "../kit/page";
import { Empty } from "../kit/states";

/** There is nothing at this address. */
export function NotFound() {
  const { pathname } = useLocation();
  return (
    <Page title="Nothing here">
      <Empty icon={Compass} title="There is no page at this address">
        <p>
          <code>{pathname}</code> is none of the pages in the menu. It may be cut short.
        </p>
        <LinkButton icon={LayoutDashboard} to="/">
          Go to the overview
        </LinkButton>
      </Empty>
    </Page>
  );
}
