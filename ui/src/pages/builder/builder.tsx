import { Page } from "../../kit/page";

export default function Builder() {
  return <Page title="Builder">{null}</Page>;
}
