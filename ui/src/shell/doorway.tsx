import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { ApiError, refusal } from "../api/client";
import { onToken, setToken } from "../api/token";
import { Button } from "../kit/button";
import { Check, TextField } from "../kit/field";
import { useTitle } from "../kit/page";
import { Failure } from "../kit/states";
import { useMe } from "./me";
import styles from "./shell.module.css";

/** Lets everybody in whom the server knows, and asks the others for their token. */
export function Doorway({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const me = useMe();
  // What one caller was shown is not for the next one.
  useEffect(() => onToken(() => void client.resetQueries()), [client]);
  if (me.data) return children;
  if (me.error instanceof ApiError && me.error.status === 401) return <SignIn />;
  if (me.error) return <Failure error={me.error} retry={() => void me.refetch()} />;
  if (me.failureReason) return <Failure error={me.failureReason} />;
  return (
    <div className="starting" role="status" aria-label="Loading who you are">
      <img src="/icon.svg" alt="" width={24} height={24} />
      Loomwork
    </div>
  );
}

function SignIn() {
  useTitle("Sign in");
  const [shown, setShown] = useState("");
  const [keep, setKeep] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const why = await refusedBecause(shown.trim());
    setBusy(false);
    setWrong(why);
    if (why === undefined) setToken(shown.trim(), keep);
  };
  return (
    <main className={styles.signIn}>
      <form onSubmit={submit}>
        <img src="/icon.svg" alt="" width={44} height={44} />
        <h1>Sign in to Loomwork</h1>
        <TextField
          label="Token"
          type="password"
          autoComplete="current-password"
          required
          autoFocus
          placeholder="loom_…"
          value={shown}
          wrong={wrong}
          onChange={(event) => {
            setShown(event.target.value);
            setWrong(undefined);
          }}
        />
        <Check
          label="Stay signed in on this device"
          checked={keep}
          onChange={(event) => setKeep(event.target.checked)}
        />
        <Button type="submit" kind="primary" disabled={busy}>
          Sign in
        </Button>
        <p>
          No token yet? An administrator makes one under <em>Access</em>, or whoever runs the server
          with <code>loom token create NAME --role author</code>.
        </p>
      </form>
    </main>
  );
}

/** Why a token is not taken; nothing if it is. */
async function refusedBecause(token: string): Promise<string | undefined> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch("/api/v1/me", { headers });
    if (response.ok) return undefined;
    const { message } = await refusal(response);
    return `It is not taken: ${message}.`;
  } catch {
    // Also a token with signs that no header can have.
    return "The server cannot be asked. Is the token complete, and the server there?";
  }
}
