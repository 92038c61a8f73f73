import { Page } from "../../kit/page";

export default function Workflows() {
  return <Page title="Workflows">{null}</Page>;
}
