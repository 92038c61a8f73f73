/** The pages that the navigation leads to, in its order. */

import {
  CalendarClock,
  KeyRound,
  LayoutDashboard,
  ListVideo,
  type LucideIcon,
  PencilRuler,
  Puzzle,
  ScrollText,
  ServerCog,
  Webhook,
  Workflow,
  Zap,
} from "lucide-react";

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
  /** Who may do none of these sees nothing there, and is not led there. */
  needs: readonly string[];
}

/** Groups, with a line between them. */
export const PLACES: readonly (readonly Place[])[] = [
  [
    { to: "/", label: "Overview", icon: LayoutDashboard, needs: ["runs:list"] },
    { to: "/runs", label: "Runs", icon: ListVideo, needs: ["runs:list"] },
    { to: "/workflows", label: "Workflows", icon: Workflow, needs: ["workflows:list"] },
    { to: "/build", label: "Builder", icon: PencilRuler, needs: ["workflows:list"] },
  ],
  [
    { to: "/schedules", label: "Schedules", icon: CalendarClock, needs: ["schedules:list"] },
    { to: "/triggers", label: "Triggers", icon: Zap, needs: ["triggers:list"] },
    { to: "/webhooks", label: "Webhooks", icon: Webhook, needs: ["webhooks:list"] },
    { to: "/plugins", label: "Plugins", icon: Puzzle, needs: ["plugins:list"] },
  ],
  [
    { to: "/access", label: "Access", icon: KeyRound, needs: ["tokens:list"] },
    { to: "/audit", label: "Audit log", icon: ScrollText, needs: ["audit:list"] },
    { to: "/system", label: "System", icon: ServerCog, needs: ["status:get"] },
  ],
];
