import { useState } from "preact/hooks";
import { readTag, type Tag } from "../../lifecycle/model/tags.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { price } from "../format.ts";
import { type Act, canBe, instancePath } from "../parts/acts.ts";
import { confirmed } from "../parts/dialog.tsx";
import { say } from "../parts/notice.tsx";
import { language, words } from "../words.ts";
import { doToEach, type Outcome } from "./bulk.ts";
import { BulkOutcome, type Running, type Told } from "./bulk-outcome.tsx";
import { fleet, refreshFleet } from "./fleet.ts";
import { clearMarks, isAnyMarked, MOST_MARKED, marked } from "./marked.ts";
import { sumOfRates } from "./money.ts";
import { fleetWords } from "./words.ts";

/** What is done with all that are selected, and what became of each. */
export function BulkBar() {
  const [running, setRunning] = useState<Running | null>(null);
  if (!isAnyMarked.value && running === null) return null;
  const isBusy = running !== null && running.told.length < running.all;

  const run = async (
    what: Running["what"],
    instances: readonly ShownView[],
    isPossible: (instance: ShownView) => boolean,
    work: (instance: ShownView) => Promise<unknown>,
  ) => {
    const possible = instances.filter(isPossible);
    const stop = new AbortController();
    let told: readonly Told[] = instances
      .filter((instance) => !isPossible(instance))
      .map((instance) => ({ instance, outcome: { end: "impossible" } }));
    const tell = () => setRunning({ what, all: instances.length, told, stop });
    tell();
    await doToEach(
      possible,
      work,
      (instance: ShownView, outcome: Outcome) => {
        told = [...told, { instance, outcome }];
        tell();
      },
      stop.signal,
    );
    refreshFleet();
  };
  return (
    <section class="bulk" aria-label={fleetWords.value.bulk.title}>
      {isAnyMarked.value && !isBusy && <BulkActs onRun={run} />}
      {running !== null && <BulkOutcome running={running} onClose={() => setRunning(null)} />}
    </section>
  );
}

type Run = (
  what: Running["what"],
  instances: readonly ShownView[],
  isPossible: (instance: ShownView) => boolean,
  work: (instance: ShownView) => Promise<unknown>,
) => Promise<void>;

function BulkActs({ onRun }: { onRun: Run }) {
  const [tagText, setTagText] = useState("");
  const { bulk, actions } = fleetWords.value;
  const instances = (fleet.value?.instances ?? []).filter(({ instance_id }) => marked.value.has(instance_id));
  const possible = (act: Act) => instances.filter((instance) => canBe(act, instance));
  const post = (path: string, body?: unknown) => (instance: ShownView) =>
    ask("POST", `${instancePath(instance.instance_id)}/${path}`, body);
  const keep = (minutes: number) =>
    onRun("keepAlive", instances, (each) => canBe("keep_alive", each), post("keep-alive", { minutes }));
  const onHibernate = async () => {
    const chosen = possible("hibernate");
    const stakes = [bulk.hibernateStakes, saving(chosen), ...risksOf(chosen)].join(" ");
    if (!(await confirmed(bulk.hibernateQuestion(chosen.length), stakes, bulk.hibernate(chosen.length))))
      return;
    await onRun("hibernate", instances, (each) => canBe("hibernate", each), post("hibernate"));
  };
  const onWake = async () => {
    const chosen = possible("wake");
    if (!(await confirmed(bulk.wakeQuestion(chosen.length), waking(chosen), bulk.wake(chosen.length))))
      return;
    await onRun("wake", instances, (each) => canBe("wake", each), post("wake"));
  };
  const changeTags = (isAdding: boolean) => {
    const tag = readTag(tagText.trim());
    if (tag === null) {
      say(bulk.wrongTag, true);
      return;
    }
    void onRun(
      "tags",
      instances,
      () => true,
      (instance) =>
        ask("PATCH", instancePath(instance.instance_id), { tags: tagsAfter(instance, tag, isAdding) }),
    );
  };
  return (
    <div class="bulk-acts">
      <b>{bulk.selected(marked.value.size)}</b>
      {marked.value.size === MOST_MARKED && <span class="faint">{bulk.most(MOST_MARKED)}</span>}
      {possible("keep_alive").length > 0 && (
        <>
          <button type="button" onClick={() => keep(60)}>
            {actions.keepHour}
          </button>
          <button type="button" onClick={() => keep(240)}>
            {actions.keepFourHours}
          </button>
        </>
      )}
      {possible("hibernate").length > 0 && (
        <button type="button" onClick={onHibernate}>
          {actions.hibernate}
        </button>
      )}
      {possible("wake").length > 0 && (
        <button type="button" onClick={onWake}>
          {actions.wake}
        </button>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          changeTags(true);
        }}
      >
        <input
          aria-label={bulk.tag}
          placeholder={bulk.tagHint}
          value={tagText}
          onInput={({ currentTarget: { value } }) => setTagText(value)}
        />
        <button type="submit">{bulk.addTag}</button>
        <button type="button" onClick={() => changeTags(false)}>
          {bulk.removeTag}
        </button>
      </form>
      <button type="button" class="end" onClick={clearMarks}>
        {bulk.clear}
      </button>
    </div>
  );
}

function tagsAfter({ tags }: ShownView, { key, value }: Tag, isAdding: boolean): Record<string, string> {
  if (isAdding) return { ...tags, [key]: value };
  return Object.fromEntries(Object.entries(tags).filter((each) => each[0] !== key || each[1] !== value));
}

function saving(chosen: readonly ShownView[]): string {
  const { bulk } = fleetWords.value;
  const saved = chosen.map(({ running_cost, hibernated_cost }) =>
    running_cost === null || hibernated_cost === null ? null : Math.max(0, running_cost - hibernated_cost),
  );
  const { dollars, isMore } = sumOfRates(saved);
  if (dollars === null) return bulk.savesUnknown;
  return (isMore ? bulk.savesAtLeast : bulk.saves)(price(dollars, language.value));
}

function waking(chosen: readonly ShownView[]): string {
  const { bulk } = fleetWords.value;
  const { dollars, isMore } = sumOfRates(chosen.map(({ running_cost }) => running_cost));
  if (dollars === null) return bulk.wakeStakesUnknown;
  return (isMore ? bulk.wakeStakesAtLeast : bulk.wakeStakes)(price(dollars, language.value));
}

/** What a stop risks where they are rented, in a sentence for each provider of which something is known. */
function risksOf(chosen: readonly ShownView[]): readonly string[] {
  const providers = [...new Set(chosen.map(({ provider }) => provider))].sort();
  return providers.flatMap((provider) => words.value.comingBack.risks(provider, null) ?? []);
}
