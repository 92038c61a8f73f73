import { LayoutTemplate, MousePointerClick, Plus } from "lucide-react";
import { Button } from "../../../kit/button";
import { LinkButton } from "../../../kit/link";
import { Empty } from "../../../kit/states";
import { useNarrow } from "../state/room";
import styles from "./canvas.module.css";

/** How to begin, on a canvas with nothing on it. */
export function Blank({ onTemplates }: { onTemplates: () => void }) {
  const narrow = useNarrow();
  return (
    <div className={styles.empty}>
      <div>
        <Empty icon={MousePointerClick} title="Nothing here yet">
          <ol className={styles.steps}>
            <li>
              {narrow
                ? "Add the tasks, one after the other."
                : "Drag tasks here from the palette, or double-click them there."}
            </li>
            <li>
              Draw from the dot below a task to another one, which then waits for what it sets.
            </li>
            <li>Press Run, and watch.</li>
          </ol>
          <div className={styles.begin}>
            {narrow && (
              <LinkButton kind="primary" icon={Plus} to="?part=add" replace>
                Add a task
              </LinkButton>
            )}
            <Button icon={LayoutTemplate} onClick={onTemplates}>
              Begin with a template
            </Button>
          </div>
        </Empty>
      </div>
    </div>
  );
}
