import type { LucideIcon } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode } from "react";
import styles from "./kit.module.css";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "danger" | "quiet" | "plain";
  icon?: LucideIcon;
  children: ReactNode;
}

/** A button with words, and an icon if it helps. */
export function Button({ kind = "plain", icon: Icon, children, className, ...rest }: ButtonProps) {
  const names = [styles.button, kind === "plain" ? "" : styles[kind], className];
  return (
    <button type="button" className={names.filter(Boolean).join(" ")} {...rest}>
      {Icon && <Icon size={16} aria-hidden />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: LucideIcon;
  /** What it does, for those who do not see the icon; shown as a tip too. */
  label: string;
}

/** A button that is an icon alone. */
export function IconButton({ icon: Icon, label, className, ...rest }: IconButtonProps) {
  const names = [styles.button, styles.quiet, styles.icon, className].filter(Boolean).join(" ");
  return (
    <button type="button" className={names} aria-label={label} title={label} {...rest}>
      <Icon size={17} aria-hidden />
    </button>
  );
}
