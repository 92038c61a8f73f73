import { Compass } from "lucide-react";
import { Link } from "react-router";
import { Page } from "../kit/page";
import { Empty } from "../kit/states";

/** There is nothing at this address. */
export function NotFound() {
  return (
    <Page title="Nothing here">
      <Empty icon={Compass} title="There is no page at this address">
        <Link to="/">Go to the overview</Link>
      </Empty>
    </Page>
  );
}
