import { Page } from "../../kit/page";

export default function Overview() {
  return <Page title="Overview">{null}</Page>;
}
