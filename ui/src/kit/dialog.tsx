import { X } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Button, IconButton } from "./button";
import styles from "./kit.module.css";
import { Failure } from "./states";

export interface DialogProps {
  title: string;
  onClose: () => void;
  wide?: boolean;
  children: ReactNode;
  /** Buttons at the foot. */
  foot?: ReactNode;
}

/** A window over the page. It takes the keyboard until it is closed, also by Escape. */
export function Dialog({ title, onClose, wide, children, foot }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      className={[styles.dialog, wide && styles.wide].filter(Boolean).join(" ")}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className={styles.dialogHead}>
        <h2 id={id}>{title}</h2>
        <IconButton icon={X} label="Close" onClick={onClose} />
      </div>
      <div className={styles.dialogBody}>{children}</div>
      {foot && <div className={styles.dialogFoot}>{foot}</div>}
    </dialog>
  );
}

export interface ConfirmProps {
  title: string;
  /** What the action does. */
  children: ReactNode;
  /** The word on the button. */
  action: string;
  danger?: boolean;
  /** The action; the dialog stays and tells if it fails. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
  /** Says some failures in words of its own; the usual ones say the rest. */
  failure?: (error: Error) => ReactNode | undefined;
}

/** Says what an action will do before it is done. */
export function Confirm(props: ConfirmProps) {
  const { title, children, action, danger, onConfirm, onClose, failure } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (thrown) {
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      setBusy(false);
    }
  };
  const id = useId();
  const trouble = useRef<HTMLDivElement>(null);
  // A long form hides what is said below it.
  useEffect(() => {
    if (error) trouble.current?.scrollIntoView({ block: "nearest" });
  }, [error]);
  return (
    <Dialog
      title={title}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button type="submit" form={id} kind={danger ? "danger" : "primary"} disabled={busy}>
            {action}
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className={styles.form}>
        {children}
      </form>
      {error && <div ref={trouble}>{failure?.(error) ?? <Failure error={error} />}</div>}
    </Dialog>
  );
}
