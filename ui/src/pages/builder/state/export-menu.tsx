import { Download } from "lucide-react";
import { useRef } from "react";
import { api, data } from "../../../api/client";
import { useToasts } from "../../../kit/toast";
import styles from "../builder.module.css";
import { download, pngOf, shownColours, svgOf } from "../canvas/picture";
import type { Places } from "../canvas/places";
import { useBench } from "./bench";
import { useTextStore } from "./text-store";

/** Takes the workflow elsewhere: its text, and pictures of it. */
export function ExportMenu(props: { places: Places; saved: { version: string } | undefined }) {
  const { places, saved } = props;
  const { view } = useBench();
  const store = useTextStore();
  const tell = useToasts();
  const menu = useRef<HTMLDetailsElement>(null);
  const { name, namespace, tasks, drawn } = view;
  const svg = () => svgOf(tasks, drawn, places, shownColours());
  const mermaid = async (version: string) => {
    const params = { path: { namespace, name, version }, query: { format: "mermaid" as const } };
    const text = await data(
      api.GET("/api/v1/workflows/{namespace}/{name}/{version}/graph", {
        params,
        parseAs: "text",
      }),
    );
    download(text, `${name}.mmd`);
  };
  const done = (work: () => void | Promise<void>) => async () => {
    menu.current?.removeAttribute("open");
    try {
      await work();
    } catch (error) {
      tell.failed(error);
    }
  };
  return (
    <details
      ref={menu}
      className={styles.menu}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget))
          event.currentTarget.removeAttribute("open");
      }}
      onKeyDown={(event) => event.key === "Escape" && menu.current?.removeAttribute("open")}
    >
      <summary aria-label="Export" title="Export">
        <Download size={16} aria-hidden /> <span>Export</span>
      </summary>
      <ul>
        <li>
          <button
            type="button"
            onClick={done(() => download(store.text(), `${name}.yaml`, "application/yaml"))}
          >
            Text (YAML)
          </button>
        </li>
        {saved && (
          <li>
            <button type="button" onClick={done(() => mermaid(saved.version))}>
              Mermaid, of version {saved.version}
            </button>
          </li>
        )}
        <li>
          <button
            type="button"
            onClick={done(() => download(svg(), `${name}.svg`, "image/svg+xml"))}
          >
            Picture (SVG)
          </button>
        </li>
        <li>
          <button
            type="button"
            onClick={done(async () => download(await pngOf(svg()), `${name}.png`))}
          >
            Picture (PNG)
          </button>
        </li>
      </ul>
    </details>
  );
}
