import { Button } from "../../kit/button";
import { Dialog } from "../../kit/dialog";
import { Copyable } from "../../kit/facts";

export interface Made {
  url: string;
  secret: string;
}

/** The signing secret, this once. */
export function Secret({ of: { url, secret }, onClose }: { of: Made; onClose: () => void }) {
  return (
    <Dialog
      title="The signing secret"
      onClose={onClose}
      foot={
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      }
    >
      <p>
        Whatever is posted to <code>{url}</code> is signed with this secret, as Standard Webhooks
        has it. It is shown this once.
      </p>
      <Copyable text={secret} label="Copy the secret" />
    </Dialog>
  );
}
