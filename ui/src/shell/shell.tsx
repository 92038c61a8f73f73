import { Menu, PanelLeftClose, PanelLeftOpen, PlugZap, X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import { IconButton } from "../kit/button";
import { Loading } from "../kit/states";
import { useAway } from "./away";
import { Boundary } from "./boundary";
import { Doorway } from "./doorway";
import { Nav } from "./nav";
import styles from "./shell.module.css";

/** Whether the navigation is narrow, kept for the next visit. */
const NARROW = "loom.nav";

/** What is around every page: the way to all others, who sits here, and whether the server is there. */
export function Shell({ children }: { children: ReactNode }) {
  const [narrow, setNarrow] = useState(() => localStorage.getItem(NARROW) === "narrow");
  const [open, setOpen] = useState(false);
  const { pathname } = useLocation();
  const main = useArrival(pathname);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes when the page changes
  useEffect(() => setOpen(false), [pathname]);
  const toggle = () => {
    localStorage.setItem(NARROW, narrow ? "wide" : "narrow");
    setNarrow(!narrow);
  };
  return (
    <Doorway>
      <a className={styles.skip} href="#main">
        Skip to the page
      </a>
      <div className={styles.frame}>
        <header className={styles.bar}>
          <IconButton icon={Menu} label="Menu" aria-expanded={open} onClick={() => setOpen(true)} />
          <Brand />
        </header>
        <div className={styles.side} data-narrow={narrow}>
          <div className={styles.sideHead}>
            <Brand />
            <IconButton
              icon={narrow ? PanelLeftOpen : PanelLeftClose}
              label={narrow ? "Widen the navigation" : "Narrow the navigation"}
              onClick={toggle}
            />
          </div>
          <Nav narrow={narrow} />
        </div>
        {open && <Drawer onClose={() => setOpen(false)} />}
        <main id="main" ref={main} tabIndex={-1} className={styles.main}>
          <Away />
          <Boundary place={pathname}>{children}</Boundary>
        </main>
      </div>
    </Doorway>
  );
}

/** What is shown while the page itself is on its way. */
export function Arriving() {
  return <Loading what="the page" />;
}

function Brand() {
  return (
    <Link to="/" className={styles.brand}>
      <img src="/icon.svg" alt="" width={24} height={24} />
      <span>Loomwork</span>
    </Link>
  );
}

/** The navigation over the page, where there is no room beside it. */
function Drawer({ onClose }: { onClose: () => void }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={element} className={styles.drawer} aria-label="Menu" onCancel={onClose}>
      <div className={styles.sideHead}>
        <Brand />
        <IconButton icon={X} label="Close the menu" onClick={onClose} />
      </div>
      <Nav narrow={false} />
    </dialog>
  );
}

function Away() {
  const away = useAway();
  return (
    <div role="status">
      {away && (
        <div className={styles.away}>
          <PlugZap size={16} aria-hidden />
          The server is away. This page comes back by itself once it is there again.
        </div>
      )}
    </div>
  );
}

/** Brings the eye and the keyboard to a page that was just gone to. */
function useArrival(pathname: string) {
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    main.current?.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}
