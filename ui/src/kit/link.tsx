import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Link, type LinkProps } from "react-router";
import type { ButtonProps } from "./button";
import styles from "./kit.module.css";

interface LinkButtonProps extends Omit<LinkProps, "children"> {
  kind?: NonNullable<ButtonProps["kind"]>;
  icon: LucideIcon;
  /** Of an icon that stands alone: where it leads. */
  label?: string;
  children?: ReactNode;
}

/** A link that looks like a button: it leads somewhere, and can be opened in another tab. */
export function LinkButton({
  kind = "plain",
  icon: Icon,
  label,
  children,
  ...rest
}: LinkButtonProps) {
  const names = [styles.button, kind !== "plain" && styles[kind], !children && styles.icon];
  const named = label !== undefined && { "aria-label": label, title: label };
  return (
    <Link className={names.filter(Boolean).join(" ")} {...named} {...rest}>
      <Icon size={children ? 16 : 17} aria-hidden />
      {children}
    </Link>
  );
}
