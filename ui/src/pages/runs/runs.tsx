import { Page } from "../../kit/page";

export default function Runs() {
  return <Page title="Runs">{null}</Page>;
}
