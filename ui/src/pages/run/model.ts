/**
 * Where a run stands, folded from a snapshot and the events behind it.
 *
 * Tasks are replaced, so that who draws one sees by its identity whether it is another; only the
 * list of their attempts grows in place, for it may be long. What only a snapshot knows (what is tried again after a retry, the critical path) makes
 * the model `stale`: its owner loads another snapshot.
 */

import type { Schema } from "../../api/client";
import type { TaskDef } from "./definition";

export type Detail = Schema<"RunDetail">;
export type RunEvent = Schema<"RunEvent">;
export type Failure = Schema<"FailureEvent">;
export type Variable = Schema<"VariableView">;

export interface AttemptState {
  attempt: number;
  item: number | undefined;
  readyAt: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
  retryAt: number | undefined;
  /** `held`, `running`, `succeeded`, `failed`, `interrupted` or `cancelled`. */
  result: string;
}

export interface TaskState {
  name: string;
  plugin: string;
  phase: string;
  waitingSince: number;
  readyAt: number | undefined;
  settledAt: number | undefined;
  attempts: AttemptState[];
  /** Attempts that are older than those that are kept here. */
  dropped: number;
  items: number | undefined;
  settledItems: number;
  failure: Failure | undefined;
  /** Why it was skipped. */
  skipped: Record<string, unknown> | undefined;
  resolvedBy: string | undefined;
  /** Somebody asked for its end. */
  stopping: boolean;
}

/** What is said of the run as a whole. */
export interface Head {
  state: string;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  /** Who asked for its end, while it comes. */
  stopping: string | undefined;
  counts: Record<string, number>;
}

/** Attempts of one task that are kept here; its page has them all. */
export const ATTEMPTS_KEPT = 1000;
const ATTEMPTS_MOST = 1250;

type Attempted = { attempt: number; item?: number | null };

export class RunModel {
  /** Grows with every change. */
  revision = 0;
  lastSeq = 0;
  /** A snapshot would say more. */
  stale = false;
  head: Head;
  readonly order: string[] = [];
  readonly #tasks = new Map<string, TaskState>();
  readonly #variables = new Map<string, Variable>();
  readonly #critical = new Set<string>();
  readonly #needs: Needs;
  /** What instances of `for_each` tasks emitted, until it is gathered. */
  readonly #parts = new Map<string, Map<number, Schema<"OutputEvent">[]>>();
  #touched = new Set<string>();

  constructor(detail: Detail, definition: TaskDef[]) {
    for (const view of detail.tasks) {
      this.order.push(view.name);
      this.#tasks.set(view.name, stateOf(view));
    }
    for (const variable of detail.variables) this.#variables.set(variable.name, variable);
    for (const link of detail.critical_path ?? []) this.#critical.add(link.task);
    this.lastSeq = detail.last_seq;
    this.head = {
      state: detail.state,
      startedAt: time(detail.started_at),
      finishedAt: time(detail.finished_at),
      stopping: undefined,
      counts: { ...detail.counts },
    };
    const settled = (name: string) => isGood(this.#tasks.get(name)?.phase ?? "");
    this.#needs = new Needs(definition, (name) => this.#variables.has(name), settled);
  }

  task(name: string): TaskState | undefined {
    return this.#tasks.get(name);
  }

  get variables(): Variable[] {
    return [...this.#variables.values()];
  }

  isCritical(name: string): boolean {
    return this.#critical.has(name);
  }

  /** Tasks that changed since this was last asked. */
  drain(): Set<string> {
    const touched = this.#touched;
    if (touched.size > 0) this.#touched = new Set();
    return touched;
  }

  /** Takes events up. Those that are known already are passed over. */
  take(events: RunEvent[]): void {
    const counts = this.head.counts;
    this.head = { ...this.head, counts: { ...counts } };
    for (const event of events) {
      if (event.seq <= this.lastSeq) continue;
      this.lastSeq = event.seq;
      this.#take(event, Date.parse(event.at));
    }
    this.revision += 1;
  }

  #take(event: RunEvent, at: number): void {
    switch (event.type) {
      case "run.started":
        this.head.state = "running";
        this.head.startedAt ??= at;
        return;
      case "run.paused":
        this.head.state = "paused";
        return;
      case "run.resumed":
        this.head.state = "running";
        return;
      case "run.cancel_requested":
        this.head.stopping = event.by;
        return;
      case "run.reopened":
        this.head.state = "running";
        this.head.finishedAt = undefined;
        this.stale = true;
        return;
      case "run.finished":
        this.head.state = event.outcome;
        this.head.finishedAt = at;
        this.head.stopping = undefined;
        this.stale = true;
        return;
      case "custom":
        return;
      case "task.declared":
        this.#declare(event.task, at);
        return;
      default:
        this.#takeTask(event, at);
    }
  }

  #takeTask(event: Extract<RunEvent, { task: string }>, at: number): void {
    const name = event.task;
    switch (event.type) {
      case "task.fired":
        this.#change(name, {
          phase: "ready",
          readyAt: at,
          ...(event.items ? { items: event.items.length } : {}),
        });
        return;
      case "task.assigned":
        this.#attempt(name, event, { result: "held" }, at);
        return;
      case "task.started":
        this.#attempt(name, event, { result: "running", startedAt: at }, at);
        this.#change(name, { phase: "running" });
        return;
      case "task.succeeded":
        this.#attempt(name, event, { result: "succeeded", endedAt: at }, at);
        this.#succeed(name, event.item, event.outputs ?? [], event.at);
        return;
      case "task.failed":
        this.#fail(name, event, at);
        return;
      case "task.gathered":
        this.#gather(name, event.failed, event.at);
        return;
      case "task.interrupted":
        this.#attempt(name, event, { result: "interrupted", endedAt: at }, at);
        if (event.item == null) this.#change(name, { phase: "ready", readyAt: at });
        return;
      case "task.skipped":
        this.#change(name, { phase: "skipped", settledAt: at, skipped: event.reason as never });
        return;
      case "task.cancel_requested":
      case "task.skip_requested":
        this.#change(name, { stopping: true });
        return;
      case "task.cancelled":
        this.#cancel(name, event.item, at);
        return;
      case "task.resolved":
        this.#change(name, { phase: "resolved", settledAt: at, resolvedBy: event.by });
        this.#set(event.outputs ?? [], name, event.at);
        this.#settled(name, at);
        return;
      default:
        // An amendment changes what comes, not where the task stands.
        return;
    }
  }

  #declare(name: string, at: number): void {
    if (this.#tasks.has(name)) return;
    this.order.push(name);
    this.#tasks.set(name, empty(name, at));
    this.#count("waiting", 1);
    this.#touched.add(name);
  }

  #succeed(name: string, item: number | null | undefined, outputs: Outputs, at: string): void {
    if (item != null) {
      const parts = this.#parts.get(name) ?? new Map<number, Outputs>();
      this.#parts.set(name, parts.set(item, outputs));
      this.#settleItem(name);
      return;
    }
    this.#change(name, { phase: "succeeded", settledAt: Date.parse(at), failure: undefined });
    this.#set(outputs, name, at);
    this.#settled(name, Date.parse(at));
  }

  #fail(name: string, event: Extract<RunEvent, { type: "task.failed" }>, at: number): void {
    if (event.attempt > 0) {
      const retryAt = time(event.retry_at);
      this.#attempt(name, event, { result: "failed", endedAt: at, retryAt }, at);
    }
    if (event.item != null) {
      this.#change(name, { failure: event.failure });
      if (!event.retry_at) this.#settleItem(name);
    } else if (event.retry_at) {
      this.#change(name, { phase: "backing_off", failure: event.failure });
    } else {
      this.#change(name, { phase: "failed", failure: event.failure, settledAt: at });
    }
  }

  #gather(name: string, failed: number, at: string): void {
    const parts = [...(this.#parts.get(name) ?? [])].sort(([a], [b]) => a - b);
    this.#parts.delete(name);
    const lists = new Map<string, { value: unknown[]; secret: boolean }>();
    for (const [, outputs] of parts) {
      for (const { name: variable, value, secret, declared } of outputs) {
        if (declared === false) continue;
        const list = lists.get(variable) ?? { value: [], secret: false };
        lists.set(variable, list);
        list.value.push(value);
        list.secret ||= secret === true;
      }
    }
    const phase = failed > 0 ? "failed" : "succeeded";
    this.#change(name, { phase, settledAt: Date.parse(at) });
    const outputs = [...lists].map(([variable, list]) => ({ name: variable, ...list }));
    this.#set(outputs, name, at);
    if (failed === 0) this.#settled(name, Date.parse(at));
  }

  #cancel(name: string, item: number | null | undefined, at: number): void {
    const task = this.#tasks.get(name);
    if (!task) return;
    const attempts = task.attempts.map((attempt) =>
      attempt.endedAt === undefined && (item == null || attempt.item === item)
        ? { ...attempt, result: "cancelled", endedAt: at }
        : attempt,
    );
    if (item != null) {
      this.#change(name, { attempts });
      this.#settleItem(name);
    } else {
      this.#change(name, { attempts, phase: "cancelled", settledAt: at, stopping: false });
    }
  }

  #settleItem(name: string): void {
    const task = this.#tasks.get(name);
    if (task) this.#change(name, { settledItems: task.settledItems + 1 });
  }

  #set(outputs: Outputs, by: string, at: string): void {
    for (const { name, value, secret, declared } of outputs) {
      if (declared === false) continue;
      const isNew = !this.#variables.has(name);
      this.#variables.set(name, { name, value, secret: secret === true, set_by: by, at });
      if (isNew) this.#ready(this.#needs.variable(name), Date.parse(at));
    }
  }

  #settled(name: string, at: number): void {
    this.#ready(this.#needs.settled(name), at);
  }

  /** A task that becomes ready is no event: it follows from the others. */
  #ready(names: string[], at: number): void {
    for (const name of names) {
      if (this.#tasks.get(name)?.phase === "waiting") {
        this.#change(name, { phase: "ready", readyAt: at });
      }
    }
  }

  #attempt(name: string, which: Attempted, change: Partial<AttemptState>, at: number): void {
    const task = this.#tasks.get(name);
    if (!task) return;
    const { attempts } = task;
    const item = which.item ?? undefined;
    const place = placeOf(attempts, which.attempt, item);
    const known = attempts[place];
    if (known) {
      attempts[place] = { ...known, ...change };
      this.#change(name, {});
      return;
    }
    const last = attempts.findLast((other) => other.item === item);
    const readyAt = last?.retryAt ?? last?.endedAt ?? task.readyAt ?? at;
    attempts.push({ ...newAttempt(which.attempt, item, Math.min(readyAt, at)), ...change });
    // Rarely and many at once: to let one go moves all others.
    const over = attempts.length > ATTEMPTS_MOST ? attempts.length - ATTEMPTS_KEPT : 0;
    if (over > 0) attempts.splice(0, over);
    this.#change(name, { dropped: task.dropped + over });
  }

  #change(name: string, change: Partial<TaskState>): void {
    const task = this.#tasks.get(name);
    if (!task) return;
    if (change.phase !== undefined && change.phase !== task.phase) {
      this.#count(task.phase, -1);
      this.#count(change.phase, 1);
    }
    this.#tasks.set(name, { ...task, ...change });
    this.#touched.add(name);
  }

  #count(phase: string, by: number): void {
    this.head.counts[phase] = (this.head.counts[phase] ?? 0) + by;
  }
}

type Outputs = Schema<"OutputEvent">[];

/** What tasks still wait for before they are ready. */
class Needs {
  readonly #missing = new Map<string, number>();
  readonly #takers = new Map<string, string[]>();
  readonly #followers = new Map<string, string[]>();

  constructor(
    tasks: TaskDef[],
    isSet: (name: string) => boolean,
    isDone: (name: string) => boolean,
  ) {
    for (const task of tasks) {
      // A condition or a list is evaluated first, and that is an event; so is the end of all.
      if (task.fires || task.barrier) continue;
      const inputs = [...new Set(task.inputs)].filter((name) => !isSet(name));
      const others = [...new Set(task.dependsOn)].filter((name) => !isDone(name));
      this.#missing.set(task.name, inputs.length + others.length);
      for (const name of inputs) push(this.#takers, name, task.name);
      for (const name of others) push(this.#followers, name, task.name);
    }
  }

  variable(name: string): string[] {
    return this.#met(this.#takers.get(name) ?? []);
  }

  settled(name: string): string[] {
    return this.#met(this.#followers.get(name) ?? []);
  }

  #met(tasks: string[]): string[] {
    return tasks.filter((task) => {
      const left = (this.#missing.get(task) ?? 0) - 1;
      this.#missing.set(task, left);
      return left === 0;
    });
  }
}

function push(all: Map<string, string[]>, key: string, value: string): void {
  const some = all.get(key);
  if (some) some.push(value);
  else all.set(key, [value]);
}

function stateOf(view: Schema<"TaskView">): TaskState {
  const attempts = view.attempts.map((attempt) => ({
    attempt: attempt.attempt,
    item: attempt.item ?? undefined,
    readyAt: Date.parse(attempt.ready_at),
    startedAt: time(attempt.started_at),
    endedAt: time(attempt.ended_at),
    retryAt: time(attempt.retry_at),
    result: attempt.result,
  }));
  const over = Math.max(0, attempts.length - ATTEMPTS_KEPT);
  return {
    name: view.name,
    plugin: view.plugin,
    phase: view.phase,
    waitingSince: Date.parse(view.waiting_since),
    readyAt: time(view.ready_at),
    settledAt: time(view.settled_at),
    attempts: over > 0 ? attempts.slice(over) : attempts,
    dropped: over,
    items: view.items ?? undefined,
    settledItems: view.items_settled ?? 0,
    // A failure of an attempt stands with the attempt.
    failure:
      view.failure ?? view.attempts.findLast((attempt) => attempt.failure)?.failure ?? undefined,
    skipped: (view.skipped as Record<string, unknown> | null) ?? undefined,
    resolvedBy: view.resolved?.by,
    stopping: false,
  };
}

function empty(name: string, at: number): TaskState {
  return {
    name,
    plugin: "",
    phase: "waiting",
    waitingSince: at,
    readyAt: undefined,
    settledAt: undefined,
    attempts: [],
    dropped: 0,
    items: undefined,
    settledItems: 0,
    failure: undefined,
    skipped: undefined,
    resolvedBy: undefined,
    stopping: false,
  };
}

function placeOf(attempts: AttemptState[], attempt: number, item: number | undefined): number {
  const last = attempts.at(-1);
  // Attempts of one task come in order: a later one is not there yet.
  if (!last || (item === undefined && last.attempt < attempt)) return -1;
  return attempts.findLastIndex((other) => other.attempt === attempt && other.item === item);
}

function newAttempt(attempt: number, item: number | undefined, readyAt: number): AttemptState {
  return {
    attempt,
    item,
    readyAt,
    startedAt: undefined,
    endedAt: undefined,
    retryAt: undefined,
    result: "held",
  };
}

function time(at: string | null | undefined): number | undefined {
  return at ? Date.parse(at) : undefined;
}

/** Whether what depends on a task in this phase may go on. */
function isGood(phase: string): boolean {
  return phase === "succeeded" || phase === "resolved";
}

/** Whether a task in this phase moves no more by itself. */
export function isSettled(phase: string): boolean {
  return ["succeeded", "failed", "skipped", "cancelled", "resolved"].includes(phase);
}

/** Whether a run in this state moves no more by itself. */
export function hasEnded(state: string): boolean {
  return ["succeeded", "failed", "cancelled"].includes(state);
}
