/** What a page or a part of it says when it has nothing else to show. */

import { CircleAlert, type LucideIcon, PlugZap } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { Button } from "./button";
import styles from "./kit.module.css";
import { Prose } from "./prose";
import { type Tone, toned } from "./tone";

/** There is nothing yet, and this is how something comes. */
export function Empty(props: { icon: LucideIcon; title: string; children?: ReactNode }) {
  const { icon: Icon, title, children } = props;
  return (
    <div className={styles.state}>
      <Icon size={32} aria-hidden />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** It is on its way. */
export function Loading({ what }: { what: string }) {
  return (
    <div className={styles.skeleton} role="status" aria-label={`Loading ${what}`}>
      <span />
      <span />
      <span />
    </div>
  );
}

/** It went wrong: what, the server's advice, and another try. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const away = error instanceof ApiError && error.unreachable;
  const problem = error instanceof ApiError ? error.problem : undefined;
  const Icon = away ? PlugZap : CircleAlert;
  return (
    <div className={styles.state} role="alert">
      <Icon size={32} aria-hidden className={styles.tone} style={toned("failed")} />
      <h2>{away ? "The server is away" : (problem?.title ?? "Something went wrong")}</h2>
      <p>
        <Prose text={away ? "This page goes on by itself once it is back." : error.message} />
      </p>
      {problem?.help?.map((line) => (
        <p key={line}>
          <Prose text={line} />
        </p>
      ))}
      {problem && <code>{problem.code}</code>}
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

/** A remark above other things. */
export function Banner(props: { tone: Tone; icon: LucideIcon; children: ReactNode }) {
  const { tone, icon: Icon, children } = props;
  return (
    <div className={styles.banner} style={toned(tone)}>
      <Icon size={17} aria-hidden />
      <div>{children}</div>
    </div>
  );
}
