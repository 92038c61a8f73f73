/**
 * Changes of what others may change too.
 *
 * A change goes by the version that its form was filled from. If somebody was quicker, nothing is
 * saved and nothing that was typed is lost: the form says what is different now, and whoever sits
 * before it decides.
 */

import { useQuery } from "@tanstack/react-query";
import { UsersRound } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { ApiError } from "../api/client";
import { differences, type Guard, guardOf, type Shown } from "../api/version";
import { Button } from "./button";
import styles from "./change.module.css";
import { Confirm, type ConfirmProps, Dialog } from "./dialog";
import { Banner, Failure, Loading } from "./states";
import { When } from "./time";

/** The most differences that are listed. */
const LISTED = 12;

interface ReadingProps<T> {
  title: string;
  read: () => Promise<Shown<T>>;
  onClose: () => void;
  children: (shown: Shown<T>) => ReactNode;
}

/** Reads what is to be changed as it is now, and hands it to a form. */
export function Reading<T>({ title, read, onClose, children }: ReadingProps<T>) {
  const found = useQuery({
    // Each form reads for itself: what it is filled from must not be of an earlier time.
    queryKey: ["reading", useId()],
    queryFn: read,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (found.data) return children(found.data);
  return (
    <Dialog title={title} onClose={onClose}>
      {found.error ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : (
        <Loading what="what is there now" />
      )}
    </Dialog>
  );
}

interface ChangeProps<T> extends Omit<ConfirmProps, "onConfirm" | "failure"> {
  /** What is to be changed, as the form shows it; without it, something new is made. */
  of: Shown<T> | undefined;
  /** How it is read again. */
  read: () => Promise<Shown<T>>;
  /** What of it the form changes: the rest may have become different without a word. */
  part: (it: T) => unknown;
  /** Sends the change of `over`, or something new. */
  write: (guard: Guard, over: T | undefined) => Promise<unknown>;
  /** Fills the form anew; without it, there is nothing in it to be lost. */
  onTake?: (it: T) => void;
}

/** A form that changes or deletes something only as it was shown. */
export function Change<T>(props: ChangeProps<T>) {
  const { of, read, part, write, onTake, action, ...rest } = props;
  const [base, setBase] = useState(of);
  const [newer, setNewer] = useState<Shown<T>>();
  const save = async () => {
    const over = newer ?? base;
    try {
      await write(guardOf(over), over?.it);
    } catch (error) {
      if (!over || !(error instanceof ApiError) || error.status !== 412) throw error;
      const now = await read();
      if (differences(part(over.it), part(now.it)).length === 0) {
        await write(guardOf(now), now.it);
        return;
      }
      setNewer(now);
      throw new Overtaken();
    }
  };
  const take = () => {
    if (!newer) return;
    onTake?.(newer.it);
    setBase(newer);
    setNewer(undefined);
  };
  return (
    <Confirm
      {...rest}
      action={newer ? `${action} all the same` : action}
      onConfirm={save}
      failure={(error) => {
        if (!(error instanceof Overtaken)) return undefined;
        return (
          <div role="alert">
            {base && newer && (
              <News before={base.it} now={newer.it} part={part} take={onTake && take} />
            )}
          </div>
        );
      }}
    />
  );
}

/** Asks before something is done to what is there now, and does it to nothing else. */
export function Guarded<T>(props: Omit<ChangeProps<T>, "of" | "onTake">) {
  const { title, read, onClose } = props;
  return (
    <Reading title={title} read={read} onClose={onClose}>
      {(before) => <Change {...props} of={before} />}
    </Reading>
  );
}

class Overtaken extends Error {}

interface NewsProps<T> {
  before: T;
  now: T;
  part: (it: T) => unknown;
  take: (() => void) | undefined;
}

/** What somebody else changed while the form was open. */
function News<T>({ before, now, part, take }: NewsProps<T>) {
  const all = differences(part(before), part(now));
  return (
    <div className={styles.overtaken}>
      <Banner tone="paused" icon={UsersRound}>
        <p>
          <strong>Somebody changed it meanwhile</strong>
          <By it={now} />. Nothing of yours was done yet
          {take && ", and what you wrote still stands"}.
        </p>
      </Banner>
      <table>
        <caption className="visually-hidden">What is different now</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">When you opened it</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {all.slice(0, LISTED).map(({ path, before, now }) => (
            <tr key={path}>
              <th scope="row">{path}</th>
              <td>
                <Value of={before} />
              </td>
              <td>
                <Value of={now} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {all.length > LISTED && <p>and {all.length - LISTED} more</p>}
      {take && (
        <div>
          <Button onClick={take}>Drop mine, and show what is there now</Button>
        </div>
      )}
    </div>
  );
}

function Value({ of }: { of: unknown }) {
  if (of === undefined || of === null || of === "") return "–";
  return <code>{typeof of === "string" ? of : JSON.stringify(of)}</code>;
}

/** Who it was, and when, where the server says so. */
function By({ it }: { it: unknown }) {
  const { changed_by: who, changed_at: at } = it as { changed_by?: string; changed_at?: string };
  return (
    <>
      {who !== undefined && `: ${who}`}
      {at !== undefined && (
        <>
          , <When at={at} />
        </>
      )}
    </>
  );
}
