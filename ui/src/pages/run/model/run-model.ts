/**
 * Where a run stands, folded from a snapshot and the events behind it.
 *
 * Tasks are replaced, so that who draws one sees by its identity whether it is another; only the
 * list of their attempts changes in place. What only a snapshot knows (what is tried again after a
 * retry, the critical path) makes the model `stale`: its owner loads another snapshot.
 */

import type { TaskDef } from "../definition";
import {
  type Attempted,
  cancelled,
  isOverOfRun,
  overOfTask,
  shareOf,
  takeAttempt,
} from "./attempts";
import { Needs } from "./needs";
import { Parts } from "./parts";
import {
  type AttemptState,
  type Detail,
  declared,
  type Head,
  headOf,
  isGood,
  type Output,
  type RunEvent,
  type TaskState,
  taskOf,
  time,
  type Variable,
} from "./state";

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
  readonly #parts = new Parts();
  /** Attempts that are kept, of all tasks. */
  #attempts = 0;
  #touched = new Set<string>();

  constructor(detail: Detail, definition: TaskDef[]) {
    for (const view of detail.tasks) {
      this.order.push(view.name);
      const task = taskOf(view);
      this.#tasks.set(view.name, task);
      this.#attempts += task.attempts.length;
    }
    for (const name of this.order) this.#trim(name);
    this.#trimAll();
    for (const variable of detail.variables) this.#variables.set(variable.name, variable);
    for (const link of detail.critical_path ?? []) this.#critical.add(link.task);
    this.lastSeq = detail.last_seq;
    this.head = headOf(detail);
    const settled = (name: string) => isGood(this.#tasks.get(name)?.phase ?? "");
    this.#needs = new Needs(definition, (name) => this.#variables.has(name), settled);
  }

  task(name: string): TaskState | undefined {
    return this.#tasks.get(name);
  }

  get variables(): Variable[] {
    return [...this.#variables.values()];
  }

  /** Whether the path is known that the run's length comes from. */
  get hasCritical(): boolean {
    return this.#critical.size > 0;
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
    this.#tasks.set(name, declared(name, at));
    this.#count("waiting", 1);
    this.#touched.add(name);
  }

  #succeed(name: string, item: number | null | undefined, outputs: Output[], at: string): void {
    if (item != null) {
      this.#parts.add(name, item, outputs);
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
    const phase = failed > 0 ? "failed" : "succeeded";
    this.#change(name, { phase, settledAt: Date.parse(at) });
    this.#set(this.#parts.gather(name), name, at);
    if (failed === 0) this.#settled(name, Date.parse(at));
  }

  #cancel(name: string, item: number | null | undefined, at: number): void {
    const task = this.#tasks.get(name);
    if (!task) return;
    const attempts = cancelled(task, item ?? undefined, at);
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

  #set(outputs: Output[], by: string, at: string): void {
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
    if (takeAttempt(task, which, change, at)) {
      this.#attempts += 1;
      this.#trim(name);
      this.#trimAll();
    }
    this.#change(name, {});
  }

  /** Lets old attempts of one task go if it has too many. */
  #trim(name: string): void {
    const task = this.#tasks.get(name);
    if (task) this.#letGo(task, overOfTask(task));
  }

  /** Lets old attempts of all tasks go if there are too many together. */
  #trimAll(): void {
    if (!isOverOfRun(this.#attempts, this.order.length)) return;
    const tasks = [...this.#tasks.values()];
    const share = shareOf(tasks.map((task) => task.attempts.length));
    for (const task of tasks) this.#letGo(task, task.attempts.length - share);
  }

  #letGo(task: TaskState, count: number): void {
    if (count <= 0) return;
    task.attempts.splice(0, count);
    this.#attempts -= count;
    this.#change(task.name, { dropped: task.dropped + count });
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
