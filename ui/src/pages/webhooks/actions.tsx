import { FlaskConical, KeyRound, Pause, Pencil, StepForward, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api, data } from "../../api/client";
import type { Guard } from "../../api/version";
import { Button, IconButton } from "../../kit/button";
import { Guarded, Reading } from "../../kit/change";
import { Confirm } from "../../kit/dialog";
import { Select, TextField } from "../../kit/field";
import { useMay } from "../../shell/me";
import { WebhookForm } from "./form";
import { type Made, Secret } from "./secret";
import { draftOf, mayWith, nameOf, readWebhook, specOf, type Webhook } from "./spec";
import { useDone, useGone } from "./use-webhooks";

type Act = "test" | "pause" | "resume" | "change" | "rotate" | "delete";

interface ActionsProps {
  of: Webhook;
  /** With words, where there is room for them. */
  words?: boolean;
  /** It was deleted. */
  onGone?: () => void;
}

/** What can be done with a webhook. */
export function Actions({ of, words, onGone }: ActionsProps) {
  const may = useMay();
  const [act, setAct] = useState<Act>();
  const [made, setMade] = useState<Made>();
  if (!mayWith(may, "webhooks:write", of)) return null;
  const close = () => setAct(undefined);
  const name = nameOf(of);
  const button = (act: Act, icon: typeof Pause, word: string, label: string): ReactNode =>
    words ? (
      <Button
        icon={icon}
        aria-label={label}
        kind={act === "delete" ? "danger" : "plain"}
        onClick={() => setAct(act)}
      >
        {word}
      </Button>
    ) : (
      <IconButton icon={icon} label={label} onClick={() => setAct(act)} />
    );
  return (
    <>
      {button("test", FlaskConical, "Test", `Test ${name}`)}
      {of.paused
        ? button("resume", StepForward, "Go on", `Let ${name} go on`)
        : button("pause", Pause, "Pause", `Pause ${name}`)}
      {mayWith(may, "events:read", of) && button("change", Pencil, "Change", `Change ${name}`)}
      {button("rotate", KeyRound, "New secret", `Give ${name} a new secret`)}
      {button("delete", Trash2, "Delete", `Delete ${name}`)}
      {act === "test" && <Test of={of} onClose={close} />}
      {act === "pause" && <Hold of={of} onClose={close} />}
      {act === "resume" && <Resume of={of} onClose={close} />}
      {act === "change" && (
        <Reading title={`Change ${name}`} read={() => readWebhook(of.id)} onClose={close}>
          {(before) => <WebhookForm before={before} onClose={close} />}
        </Reading>
      )}
      {act === "rotate" && <Rotate of={of} onMade={setMade} onClose={close} />}
      {act === "delete" && <Delete of={of} onGone={onGone} onClose={close} />}
      {made && <Secret of={made} onClose={() => setMade(undefined)} />}
    </>
  );
}

interface AskProps {
  of: Webhook;
  onClose: () => void;
}

function Test({ of, onClose }: AskProps) {
  const done = useDone();
  const act = async () => {
    const params = { path: { id: of.id } };
    const { delivered, status, error } = await data(
      api.POST("/api/v1/webhooks/{id}/test", { params }),
    );
    if (!delivered) throw new Error(`The test was not taken: ${error ?? `status ${status}`}`);
    await done(`The test was taken, with status ${status}`);
  };
  return (
    <Confirm title={`Test ${nameOf(of)}?`} action="Post a test" onConfirm={act} onClose={onClose}>
      <p>
        A <code>webhook.test</code> is posted to <code>{of.url}</code> at once, once, signed as
        events are. Events go their own way meanwhile.
      </p>
    </Confirm>
  );
}

function Hold({ of, onClose }: AskProps) {
  const done = useDone();
  const [reason, setReason] = useState("");
  const act = async () => {
    await api.POST("/api/v1/webhooks/{id}/pause", {
      params: { path: { id: of.id } },
      body: { reason: reason.trim() },
    });
    await done("The webhook is paused");
  };
  return (
    <Confirm title={`Pause ${nameOf(of)}?`} action="Pause" onConfirm={act} onClose={onClose}>
      <p>
        Nothing is posted until it goes on. Then it goes on with what happened meanwhile, as far as
        that was not pruned.
      </p>
      <TextField
        label="Reason"
        maxLength={256}
        hint="For those who wonder later"
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
    </Confirm>
  );
}

function Resume({ of, onClose }: AskProps) {
  const done = useDone();
  const act = async () => {
    await api.POST("/api/v1/webhooks/{id}/resume", { params: { path: { id: of.id } } });
    await done("The webhook goes on");
  };
  return (
    <Confirm title={`Let ${nameOf(of)} go on?`} action="Go on" onConfirm={act} onClose={onClose}>
      <p>
        What happened meanwhile is posted now, one event after the other, as far as it was not
        pruned. Dead deliveries stay dead until they are replayed.
      </p>
    </Confirm>
  );
}

/** For how long the old secret is good beside the new one, in seconds. */
const OVERLAPS = [
  ["86400", "for a day"],
  ["3600", "for an hour"],
  ["604800", "for a week"],
  ["0", "no longer"],
] as const;

function Rotate({ of, onMade, onClose }: AskProps & { onMade: (made: Made) => void }) {
  const done = useDone();
  const [overlap, setOverlap] = useState("86400");
  const act = async () => {
    const { webhook, secret } = await data(
      api.POST("/api/v1/webhooks/{id}/rotate", {
        params: { path: { id: of.id } },
        body: { overlap_s: Number(overlap), secret: null },
      }),
    );
    onMade({ url: webhook.url, secret });
    await done("The webhook has a new secret");
  };
  return (
    <Confirm
      title={`Give ${nameOf(of)} a new secret?`}
      action="Make a new secret"
      danger
      onConfirm={act}
      onClose={onClose}
    >
      <p>
        A secret is made and shown once. As long as the old one is good, deliveries carry both
        signatures, so that the receiver can take up the new one in that time.
      </p>
      <Select
        label="The old secret is good"
        value={overlap}
        onChange={(event) => setOverlap(event.target.value)}
      >
        {OVERLAPS.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
    </Confirm>
  );
}

function Delete({ of, onGone, onClose }: AskProps & { onGone: (() => void) | undefined }) {
  const gone = useGone();
  const write = async (header: Guard) => {
    await api.DELETE("/api/v1/webhooks/{id}", { params: { path: { id: of.id }, header } });
    onGone?.();
    await gone(of.id);
  };
  return (
    <Guarded
      title={`Delete ${nameOf(of)}?`}
      action="Delete"
      danger
      read={() => readWebhook(of.id)}
      part={(it) => specOf(draftOf(it))}
      write={write}
      onClose={onClose}
    >
      <p>Nothing is posted any more, and it is gone for good, with its dead deliveries.</p>
    </Guarded>
  );
}
