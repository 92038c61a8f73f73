import { CircleAlert, CircleCheck } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import styles from "./kit.module.css";
import { Banner } from "./states";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

interface Teller {
  /** Tells that something was done. */
  done: (text: string) => void;
  /** Tells that something failed. */
  failed: (error: unknown) => void;
}

const Context = createContext<Teller | null>(null);
const STAYS_MS = 6000;
let count = 0;

/** Where short news appear, for as long as it takes to read them. */
export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const tell = useCallback((text: string, bad: boolean) => {
    count += 1;
    const toast = { id: count, text, bad };
    setToasts((all) => [...all.slice(-3), toast]);
    setTimeout(() => setToasts((all) => all.filter((other) => other !== toast)), STAYS_MS);
  }, []);
  const teller = useMemo<Teller>(
    () => ({
      done: (text) => tell(text, false),
      failed: (error) => tell(error instanceof Error ? error.message : String(error), true),
    }),
    [tell],
  );
  return (
    <Context value={teller}>
      {children}
      <div className={styles.toasts} role="status" aria-live="polite">
        {toasts.map(({ id, text, bad }) => (
          <div key={id} className={styles.toast}>
            <Banner tone={bad ? "failed" : "succeeded"} icon={bad ? CircleAlert : CircleCheck}>
              {text}
            </Banner>
          </div>
        ))}
      </div>
    </Context>
  );
}

/** Tells short news. */
export function useToasts(): Teller {
  const teller = useContext(Context);
  if (!teller) throw new Error("there are no toasts around this");
  return teller;
}
