import { CirclePause, TriangleAlert } from "lucide-react";
import { Link, useNavigate, useParams } from "react-router";
import { Facts, Tags } from "../../kit/facts";
import { Card, Page } from "../../kit/page";
import { Banner, Loading } from "../../kit/states";
import { duration, When } from "../../kit/time";
import { Unshown } from "../../kit/unshown";
import { Actions } from "./actions";
import { Dead } from "./dead";
import { nameOf, type Webhook } from "./spec";
import { StateTag, Trouble, UpTo } from "./state";
import { useWebhook } from "./use-webhooks";

/** One webhook: what it is told, how that goes, and what was given up. */
export default function WebhookPage() {
  const { id = "" } = useParams();
  const navigate = useNavigate();
  const { data: it, error, isPending, refetch } = useWebhook(id);
  if (error && !it) {
    return (
      <Unshown
        what="webhook"
        name={id}
        error={error}
        retry={() => void refetch()}
        perhaps="Its address may be cut short, or somebody deleted it."
        all="/webhooks"
      />
    );
  }
  return (
    <Page
      title={it ? nameOf(it) : "Webhook"}
      actions={it && <Actions of={it} words onGone={() => navigate("/webhooks")} />}
    >
      <Link to="/webhooks">All webhooks</Link>
      {isPending && <Loading what="the webhook" />}
      {it && (
        <>
          {(it.paused || it.failing) && (
            <Banner
              tone={it.paused ? "paused" : "failed"}
              icon={it.paused ? CirclePause : TriangleAlert}
            >
              <Trouble of={it} />
            </Banner>
          )}
          <Card>
            <About of={it} />
          </Card>
          <Dead of={it} />
        </>
      )}
    </Page>
  );
}

function About({ of: it }: { of: Webhook }) {
  const { max_attempts, initial_s = 1, max_s = 600 } = it.retry;
  return (
    <Facts
      items={[
        ["State", <StateTag key="state" of={it} />],
        ["Delivered up to", <UpTo key="upto" of={it} />],
        it.description !== "" && ["What it is for", it.description],
        ["Posts to", <code key="url">{it.url}</code>],
        ["Events", it.types.length === 0 ? "all" : <Tags key="types" of={it.types} />],
        ["Workflow", it.workflow ?? "all"],
        ["Namespaces", it.namespaces ? <Tags key="places" of={it.namespaces} /> : "all"],
        [
          "Tries of a delivery",
          max_attempts === 1
            ? "1"
            : `${max_attempts}: after ${duration(initial_s * 1000)}, then twice as long each time, up to ${duration(max_s * 1000)}`,
        ],
        [
          "Made",
          <span key="made">
            <When at={it.created_at} /> by {it.created_by}
          </span>,
        ],
        !!it.old_secret_until && [
          "Old secret",
          <span key="old">
            good until <When at={it.old_secret_until} />
          </span>,
        ],
      ]}
    />
  );
}
