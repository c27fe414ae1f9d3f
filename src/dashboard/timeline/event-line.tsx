import { moneyIn } from "../../lifecycle/model/money.ts";
import { statementOf } from "../../lifecycle/model/say-money.ts";
import { instanceAddress } from "../address.ts";
import { dateTime, number } from "../format.ts";
import { language, words } from "../words.ts";
import { keyOf, type LifecycleEvent } from "./event.ts";
import { type Fact, factsOf } from "./evidence.ts";
import { timelineWords } from "./words.ts";

interface Props {
  readonly event: LifecycleEvent;
  readonly withInstance: boolean;
  readonly onWhy: ((at: string) => void) | undefined;
}

/** One event: what happened, what it cost, and what stands behind it. */
export function EventLine({ event, withInstance, onWhy }: Props) {
  return (
    <li class={event.severity}>
      <p id={idOf(event)}>
        <b>{words.value.event(event.kind)}</b> <InstanceLink event={event} isShown={withInstance} />{" "}
        <time dateTime={event.at}>{dateTime(event.at, language.value)}</time>
      </p>
      <p>{event.message}</p>
      <Costs event={event} />
      <Evidence detail={event.detail} />
      {/* What it is about stands above it. */}
      {onWhy !== undefined && (
        <button type="button" class="small" aria-describedby={idOf(event)} onClick={() => onWhy(event.at)}>
          {words.value.whyThen}
        </button>
      )}
    </li>
  );
}

export function InstanceLink({ event, isShown }: { event: LifecycleEvent; isShown: boolean }) {
  if (!isShown || event.instance_id === null) return null;
  return <a href={instanceAddress(event.instance_id)}>{event.instance_id}</a>;
}

function idOf(event: LifecycleEvent): string {
  return `event-${keyOf(event)}`;
}

/** What the machine cost then. */
function Costs({ event: { kind, detail } }: { event: LifecycleEvent }) {
  const statement = statementOf(kind, moneyIn(kind, detail));
  return statement === null ? null : <p class="faint">{words.value.money.ofEvent(statement)}</p>;
}

function Evidence({ detail }: { detail: LifecycleEvent["detail"] }) {
  const facts = factsOf(detail);
  if (facts.length === 0) return null;
  return (
    <details>
      <summary>{words.value.evidence}</summary>
      <ul class="facts">
        {facts.map((fact, index) => (
          <li key={`${fact.is} ${index}`}>{factText(fact)}.</li>
        ))}
      </ul>
    </details>
  );
}

function factText(fact: Fact): string {
  const said = timelineWords.value;
  const locale = language.value;
  const when = (iso: string) => dateTime(iso, locale);
  const percent = (value: number) => `${number(value, locale)}%`;
  switch (fact.is) {
    case "idle":
      return said.idle(
        fact.metric,
        fact.highest === null ? null : percent(fact.highest),
        percent(fact.threshold),
        when(fact.since),
        fact.heartbeats === null ? null : number(fact.heartbeats, locale),
      );
    case "model":
      return said.model(number(fact.gigabytes, locale));
    case "silent":
      return said.silent(when(fact.since));
    case "orphaned":
      return said.orphaned(when(fact.since));
    case "kept_alive":
      return said.keptAlive(when(fact.until));
    case "next":
      return said.next(when(fact.at));
    case "rule":
      return said.rule(fact.path);
    case "confirmed":
      return said.confirmed(fact.by);
    case "other":
      return said.other(fact.name, fact.value);
  }
}
