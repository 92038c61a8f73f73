/** Why a task stands where it does, in sentences; tasks in them can be gone to. */

import type { Schema } from "../../../api/client";
import { duration } from "../../../kit/time";
import { lookOf } from "../../../kit/tone";
import { counted, ended, skippedBecause } from "../words";

/** The longest that values get. */
const VALUE_MAX = 60;

type Why = Schema<"TaskWhyView">;
type Standing = Schema<"StandingView">;
type Hold = Schema<"HoldView">;
type End = Schema<"EndView">;
type EndedBy = Schema<"EndedByView">;

/** A task that is named in a sentence, or a time in it. */
export type Part = string | { task: string; item?: number } | { at: string };
export type Sentence = Part[];

export function whySentences(view: Why): Sentence[] {
  const sentences = ofWhy(view.why, view.task);
  if (view.items) {
    const { count, settled, failed } = view.items;
    sentences.push([`${settled} of ${counted(count, "item")} have settled.`]);
    for (const { item, failure } of failed.first) {
      sentences.push([{ task: view.task, item }, ` failed: ${failure.message}`]);
    }
    if (failed.more > 0) sentences.push([`${failed.more} more failed.`]);
  }
  return sentences;
}

function ofWhy(why: Why["why"], task: string): Sentence[] {
  switch (why.kind) {
    case "waiting":
      return [
        ...why.waits_for.map(waitsFor),
        ...why.chains.map(chain),
        ...(why.more_open > 0
          ? [[`It waits for ${counted(why.more_open, "more open task")}.`]]
          : []),
      ];
    case "ready":
      return [["All that it needs is there. ", ...hold(why.hold)]];
    case "running":
      return [
        [`Attempt ${why.try_number} of at most ${why.of} is under way.`],
        ...(why.times_out_at
          ? [["It is ended for taking too long ", { at: why.times_out_at }, "."]]
          : []),
      ];
    case "backing_off":
      return [
        [
          `Attempt ${why.failures} of at most ${why.of} failed. The next one starts `,
          { at: why.retry_at },
          `, after a wait of ${duration((why.asked_s ?? why.backoff_s) * 1000)}${why.asked_s == null ? "" : " that the far side asked for"}.`,
        ],
      ];
    case "succeeded":
      return [[`It took ${duration(why.took_s * 1000)} and ${counted(why.attempts, "attempt")}.`]];
    case "failed":
      return failed(why);
    case "skipped":
      return [
        [`It will not run: ${skippedBecause(why.reason as Record<string, unknown>)}.`],
        ...decidedBy(why.decided_by),
        ...why.first.first
          // Where it began with the task itself, that is said already.
          .filter((end) => end.task !== task)
          .map((end): Sentence => ["It began here: ", ...endOf(end)]),
      ];
    case "cancelled":
      return [endedBy(why.by)];
    case "resolved":
      return [
        ...(why.failure ? [[`It had failed: ${why.failure.message}`]] : []),
        [`${why.resolution.by} settled it by hand`, said(why.resolution.reason), "."],
      ];
  }
}

/** What a `when` that does not hold saw. */
function decidedBy(few: Schema<"FewNamedValues">): Sentence[] {
  if (few.first.length === 0) return [];
  const values = few.first.map(({ name, seen }) =>
    seen ? `${name} was ${cut(JSON.stringify(seen.value))}` : `${name} was not set`,
  );
  const more = few.more > 0 ? `; and ${few.more} more` : "";
  return [[`Then ${values.join("; ")}${more}.`]];
}

function cut(text: string): string {
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX - 1)}…` : text;
}

function failed(why: Extract<Why["why"], { kind: "failed" }>): Sentence[] {
  const { tries, of, allowed, failure, toll } = why;
  const sentences: Sentence[] = [];
  if (tries === 0) sentences.push(["It failed before it was attempted."]);
  else if (tries < of && !failure.retryable) {
    sentences.push([`Attempt ${tries} failed in a way that another would not mend.`]);
  } else sentences.push([of === 1 ? "Its only attempt failed." : `All ${of} attempts failed.`]);
  if (allowed) sentences.push(["The run may succeed nevertheless."]);
  if (toll.count > 0) {
    const named: Part[] = toll.first.flatMap((task, at) =>
      at === 0 ? [{ task }] : [", ", { task }],
    );
    const more = toll.count - toll.first.length;
    const rest = more > 0 ? ` and ${more} more` : "";
    sentences.push([
      `For its sake ${counted(toll.count, "task")} cannot run: `,
      ...named,
      `${rest}.`,
    ]);
  }
  return sentences;
}

function waitsFor(view: Schema<"WaitsForView">): Sentence {
  switch (view.kind) {
    case "start":
      return ["It waits for the run to begin."];
    case "variable":
      return [
        `It waits for ${view.name}`,
        ...(view.producers.first.length > 0
          ? [", which is set by ", ...standings(view.producers)]
          : [", which nothing is left to set"]),
        ".",
      ];
    case "task":
      return ["It waits for ", ...standing(view.on), "."];
    case "barrier":
      return ["It waits for all that is not behind it: ", ...standings(view.on), "."];
  }
}

function chain(view: Schema<"ChainView">): Sentence {
  const parts: Part[] = ["On the way: "];
  view.links.forEach((link, at) => {
    if (at > 0) parts.push(at === view.links.length - 1 && view.left_out > 0 ? " ← … ← " : " ← ");
    parts.push(...standing(link));
  });
  return [...parts, "."];
}

function hold(view: Hold): Sentence {
  switch (view.kind) {
    case "not_begun":
      return ["The run has not begun."];
    case "paused":
      return [view.by ? `${view.by.by} paused the run.` : "The run is paused."];
    case "ending":
      return ["The run is being ended: ", ...endedBy(view.by)];
    case "handed_over":
      return [
        "It was handed over ",
        { at: view.at },
        " and waits for: ",
        ...standings(view.busy),
        ".",
      ];
    case "beside":
      return ["It waits for ", ...standing(view.task), ", which runs alone."];
    case "until_alone":
      return ["It runs alone, and waits until these are done: ", ...standings(view.busy), "."];
    case "behind":
      return [...standing(view.task), " goes first, and runs alone."];
    case "workers":
      return [
        `All ${counted(view.workers, "worker")} of the run are busy with `,
        ...standings(view.busy),
        ".",
      ];
    case "instances":
      return [
        `At most ${view.most} of its instances may run at once; now: `,
        ...standings(view.taken),
        ".",
      ];
    case "queue":
      return [
        `The queue ${view.queue} is full`,
        view.most ? ` (at most ${view.most} at once): ` : ": ",
        ...standings(view.taken),
        ".",
      ];
    case "about_to_start":
      return ["It is about to start."];
  }
}

function standing(view: Standing): Part[] {
  return [taskOf(view), ` (${lookOf(view.phase).label.toLowerCase()})`];
}

function taskOf({ task, item }: { task: string; item?: number | null }): Part {
  return item == null ? { task } : { task, item };
}

function standings(few: Schema<"FewStandings">): Part[] {
  const parts = few.first.flatMap((view, at) =>
    at === 0 ? standing(view) : [", ", ...standing(view)],
  );
  if (few.more > 0) parts.push(` and ${few.more} more`);
  return parts.length > 0 ? parts : ["tasks of other runs"];
}

function endOf(end: End): Sentence {
  switch (end.kind) {
    case "failed":
      return [{ task: end.task }, ` failed: ${end.failure.message}`];
    case "resolved":
      return [
        { task: end.task },
        end.failure ? ` failed: ${end.failure.message}. ` : " ",
        `${end.resolution.by} settled it by hand without what others waited for`,
        said(end.resolution.reason),
        ".",
      ];
    case "did_not_emit":
      return [{ task: end.task }, " succeeded, but did not emit it."];
    case "skipped":
      return [
        { task: end.task },
        ` was skipped: ${skippedBecause(end.reason as Record<string, unknown>)}.`,
      ];
    case "cancelled":
      return [{ task: end.task }, ` was ${ended("cancelled")}.`];
    case "nobody":
      return [`Nothing sets ${end.variable}, which `, { task: end.task }, " needs."];
  }
}

function endedBy(by: EndedBy): Sentence {
  if (by.kind === "failure") return [{ task: by.task }, " failed, which stops the run."];
  return [
    `${by.request.by} asked for its end `,
    { at: by.request.at },
    said(by.request.reason),
    ".",
  ];
}

function said(reason: string): string {
  return reason === "" ? "" : `: “${reason}”`;
}
