import { Page } from "../../kit/page";

export default function Run() {
  return <Page title="Run">{null}</Page>;
}
