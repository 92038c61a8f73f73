import { Page } from "../../kit/page";

export default function Workflow() {
  return <Page title="Workflow">{null}</Page>;
}
