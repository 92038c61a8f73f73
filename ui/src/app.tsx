import { lazy, Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";
import { NotFound } from "./pages/not-found";
import { Arriving, Shell } from "./shell/shell";

// Each part of the pages is loaded when it is opened.
const Overview = lazy(() => import("./pages/overview/overview"));
const Runs = lazy(() => import("./pages/runs/runs"));
const Run = lazy(() => import("./pages/run/run"));
const Builder = lazy(() => import("./pages/builder/builder"));
const Workflows = lazy(() => import("./pages/workflows/workflows"));
const Workflow = lazy(() => import("./pages/workflows/workflow"));

const Schedules = lazy(() => import("./pages/schedules/schedules"));
const Triggers = lazy(() => import("./pages/triggers/triggers"));
const Webhooks = lazy(() => import("./pages/webhooks/webhooks"));
const Webhook = lazy(() => import("./pages/webhooks/webhook"));
const Plugins = lazy(() => import("./pages/plugins/plugins"));
const Access = lazy(() => import("./pages/access/access"));
const Audit = lazy(() => import("./pages/audit/audit"));
const System = lazy(() => import("./pages/system/system"));

/** Which address shows what. */
export function App() {
  return (
    <Shell>
      <Suspense fallback={<Arriving />}>
        <Routes>
          <Route path="/" element={<Overview />} />
          <Route path="/runs" element={<Runs />} />
          <Route path="/runs/:id" element={<Run />} />
          <Route path="/workflows" element={<Workflows />} />
          <Route path="/workflows/:namespace/:name" element={<Workflow />} />
          <Route path="/build" element={<Builder />} />
          <Route path="/build/:namespace/:name" element={<Builder />} />
          <Route path="/schedules" element={<Schedules />} />
          <Route path="/triggers" element={<Triggers />} />
          <Route path="/webhooks" element={<Webhooks />} />
          <Route path="/webhooks/:id" element={<Webhook />} />
          <Route path="/plugins" element={<Plugins />} />
          <Route path="/access" element={<Access />} />
          <Route path="/audit" element={<Audit />} />
          <Route path="/system" element={<System />} />
          <Route path="/index.html" element={<Navigate to="/" replace />} />
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
    </Shell>
  );
}
