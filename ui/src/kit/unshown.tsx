import { List, SearchX } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import styles from "./kit.module.css";
import { LinkButton } from "./link";
import { Page } from "./page";
import { Empty, Failure } from "./states";

interface UnshownProps {
  /** What it would be: `run`. */
  what: string;
  /** What its address calls it. */
  name: string;
  error: Error;
  retry: () => void;
  /** Why there may be no such thing. */
  perhaps: string;
  /** Where all others are. */
  all: string;
  /** Further ways to go on. */
  children?: ReactNode;
}

/** The page of one thing that cannot be shown: why, and the way to the others. */
export function Unshown({ what, name, error, retry, perhaps, all, children }: UnshownProps) {
  const ways = (
    <div className={styles.actions}>
      <LinkButton icon={List} to={all}>
        All {what}s
      </LinkButton>
      {children}
    </div>
  );
  if (!isAbsent(error)) {
    return (
      <Page title={`This ${what} cannot be shown`} actions={ways}>
        <Failure error={error} retry={retry} />
      </Page>
    );
  }
  return (
    <Page title={`No such ${what}`}>
      <Empty icon={SearchX} title={`There is no ${what} “${name}”`}>
        <p>{perhaps}</p>
        {ways}
      </Empty>
    </Page>
  );
}

/** Whether there is nothing, rather than something that went wrong. A name may be none, too. */
function isAbsent(error: Error): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 400);
}
