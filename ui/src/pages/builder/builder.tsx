import { useQuery } from "@tanstack/react-query";
import { FilePlus2 } from "lucide-react";
import { useState } from "react";
import { useLocation, useNavigate, useParams, useSearchParams } from "react-router";
import { api, data, type Schema } from "../../api/client";
import { LinkButton } from "../../kit/link";
import { Loading } from "../../kit/states";
import { Unshown } from "../../kit/unshown";
import { BLANK } from "./state/templates";
import { type Opened, type Saved, Workbench } from "./workbench";

/** The builder: with a registered workflow, or a new one. */
export default function Builder() {
  const { namespace = "", name } = useParams();
  const [query] = useSearchParams();
  const { state } = useLocation();
  const navigate = useNavigate();
  const version = query.get("version") ?? "latest";
  const address = name === undefined ? "" : `${namespace}/${name}@${version}`;
  // Saving goes to another address, with the same work on the bench.
  const [kept, setKept] = useState<{ address: string; key: string; opened: Opened }>();
  const isKept = kept?.address === address;
  const found = useQuery({
    queryKey: ["workflows", namespace, name, version, "to build"],
    queryFn: () =>
      data(
        api.GET("/api/v1/workflows/{namespace}/{name}/{version}", {
          params: { path: { namespace, name: name ?? "", version } },
        }),
      ),
    enabled: name !== undefined && !isKept,
    // What is being worked on does not change under the hands.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const given = state as { text?: string; session?: number } | null;
  const fresh: Opened = { text: given?.text ?? BLANK, saved: undefined };
  const opened = isKept ? kept.opened : name === undefined ? fresh : openedOf(found.data);
  if (!opened) {
    if (found.error) {
      return (
        <Unshown
          what="workflow"
          name={`${namespace}/${name}${version === "latest" ? "" : ` ${version}`}`}
          error={found.error}
          retry={() => void found.refetch()}
          perhaps="Nobody has saved a workflow of this name, or this version of it, in this namespace."
          all="/workflows"
        >
          <LinkButton icon={FilePlus2} to="/build">
            Begin a new one
          </LinkButton>
        </Unshown>
      );
    }
    return <Loading what="the workflow" />;
  }
  const key = isKept ? kept.key : `${address}#${given?.session ?? 0}`;
  const onSaved = (saved: Saved) => {
    setKept({ address: `${saved.namespace}/${saved.name}@latest`, key, opened });
    const search = new URLSearchParams(window.location.search);
    search.delete("version");
    const path = `/build/${encodeURIComponent(saved.namespace)}/${encodeURIComponent(saved.name)}`;
    navigate({ pathname: path, search: search.toString() }, { replace: true });
  };
  const onText = (text: string) => navigate("/build", { state: { text, session: Date.now() } });
  return <Workbench key={key} opened={opened} onSaved={onSaved} onText={onText} />;
}

function openedOf(found: Schema<"WorkflowView"> | undefined): Opened | undefined {
  if (!found) return undefined;
  const { namespace, name, version } = found;
  const text = (found.source ?? BLANK).replaceAll("\r\n", "\n");
  return { text, saved: { namespace, name, version, text } };
}
