import { CircleAlert } from "lucide-react";
import { Component, type ReactNode } from "react";
import { Button } from "../kit/button";
import { Empty } from "../kit/states";

interface BoundaryProps {
  /** The address: another one is another try. */
  place: string;
  children: ReactNode;
}

/** Keeps a page that breaks from taking the way to the others with it. */
export class Boundary extends Component<BoundaryProps, { error?: Error | undefined }> {
  override state: { error?: Error | undefined } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidUpdate(before: BoundaryProps) {
    if (this.state.error && before.place !== this.props.place) this.setState({ error: undefined });
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div role="alert">
        <Empty icon={CircleAlert} title="This page broke">
          <p>{error.message}</p>
          <p>A newer server may have newer pages: loading them again mends that.</p>
          <Button kind="primary" onClick={() => location.reload()}>
            Load the page again
          </Button>
        </Empty>
      </div>
    );
  }
}
