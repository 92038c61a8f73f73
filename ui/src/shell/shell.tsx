import type { ReactNode } from "react";
import { NavLink } from "react-router";

/** What is around every page: the way to all others. */
export function Shell({ children }: { children: ReactNode }) {
  return (
    <>
      <nav aria-label="Pages">
        <NavLink to="/">Overview</NavLink>
        <NavLink to="/runs">Runs</NavLink>
        <NavLink to="/workflows">Workflows</NavLink>
        <NavLink to="/build">Build</NavLink>
      </nav>
      <main>{children}</main>
    </>
  );
}
