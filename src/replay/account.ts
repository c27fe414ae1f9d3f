import type { InstanceState } from "../lifecycle/model/state.ts";
import type { Beginning } from "./beginning.ts";
import { type Difference, explain } from "./differences.ts";
import type { Heard } from "./heard.ts";
import type { PastEvent, Story } from "./story.ts";

/** So many differences are kept. */
const DIFFERENCES_KEPT = 100;

/** Keeps account of what a retrace predicts, and of what differs. */
export class Account {
  readonly #story: Story;
  readonly #beginning: Beginning;
  readonly #heard: readonly Heard[];
  readonly #repeatedAt: readonly number[];
  #agreedAt: number;
  #heardAtAgreement = 0;
  #isBegun = false;
  reproduced = 0;
  readonly differences: Difference[] = [];

  constructor(story: Story, beginning: Beginning, heard: readonly Heard[]) {
    this.#story = story;
    this.#beginning = beginning;
    this.#heard = heard;
    this.#repeatedAt = heard.flatMap(({ isRepeated, reading }) => (isRepeated ? [reading.at] : []));
    this.#agreedAt = beginning.at;
  }

  /** The event happened as was predicted, when so many readings were heard. */
  agree({ at }: PastEvent, heard: number): void {
    this.reproduced += 1;
    this.#agreedAt = at;
    this.#heardAtAgreement = heard;
    this.#isBegun = true;
  }

  /** `actual`: null for what was only predicted. */
  differ(kind: string, at: number, actual: PastEvent | null, heard: number, state: InstanceState): void {
    if (this.differences.length >= DIFFERENCES_KEPT) return;
    const from = this.#agreedAt;
    const { policies, events } = this.#story;
    const first = policies.findLastIndex((policy) => policy.from <= from);
    const explained = explain(kind, actual, {
      from,
      at,
      policies: policies.slice(Math.max(0, first)).filter((policy) => policy.from <= at),
      events: events.filter((event) => event.at >= from && event.at <= at),
      heard: this.#heard.slice(this.#heardAtAgreement, heard + 1),
      repeatedAt: this.#repeatedAt,
      beginning: this.#beginning,
      isBegun: this.#isBegun,
      state,
    });
    const was = actual === null ? "only predicted" : "not predicted";
    const before = this.differences.at(-1);
    // What was decided at one and the same moment has one cause.
    const isTogether = explained.reason === "unexplained" && before?.at === at && before.was === was;
    this.differences.push({
      at,
      kind,
      was,
      ...(isTogether ? { reason: before.reason, because: before.because } : explained),
    });
  }
}
