import type { PolicySettings } from "../../../lifecycle/model/policy-settings.ts";
import { calledKind, type ProviderKind } from "../../../lifecycle/model/provider.ts";
import { settingsAddress } from "../../address.ts";
import { number } from "../../format.ts";
import { priceOrNull } from "../../parts/money.ts";
import { writeDuration } from "../../settings/policy/durations.ts";
import { policyEditorWords } from "../../settings/policy/words.ts";
import { type ListedMachine, priceOf } from "../../settings/providers/inventory.ts";
import { language, words } from "../../words.ts";
import { type Protection, protectionOf } from "./protection.ts";
import { addWords } from "./words.ts";

const DAY_SECONDS = 86_400;

/** What protects the machine, in words: what its policy does at its provider, and what a stop there risks. */
export function Protections(props: {
  policy: PolicySettings;
  provider: ProviderKind;
  /** The machine, where its provider lists it: what is at stake. */
  listed: ListedMachine | null;
}) {
  const { policy, provider, listed } = props;
  const { protection } = addWords.value;
  const kind = calledKind(provider);
  const risks = kind === null ? null : words.value.comingBack.risks(kind, null);
  return (
    <div class="protections">
      {listed !== null && <p>{words.value.money.running(priceOrNull(priceOf(listed)), null)}</p>}
      <ul>
        {protectionOf(policy, provider).map((each) => (
          <li key={each.code} class={isWeak(each) ? "weak" : undefined}>
            {textOf(each, provider)}
          </li>
        ))}
        <li>{protection.keepAlive}</li>
      </ul>
      {risks !== null && <p class="risks">{risks}</p>}
      <p>
        <a href={settingsAddress("policy")}>{protection.policy}</a>
      </p>
    </div>
  );
}

/** What leaves the machine to cost money. */
function isWeak({ code }: Protection): boolean {
  return ["observes", "idle_off", "silence_off", "nobody_stops_silent", "told_only", "only_deletes"].includes(
    code,
  );
}

function textOf(each: Protection, provider: ProviderKind): string {
  const { protection } = addWords.value;
  const label = words.value.providers[provider];
  switch (each.code) {
    case "observes":
      return protection.observes;
    case "idle_off":
      return protection.idleOff;
    case "silence_off":
      return protection.silenceOff;
    case "never_deleted":
      return protection.neverDeleted;
    case "nobody_stops_silent":
      return protection.nobodyStopsSilent;
    case "told_only":
      return protection.toldOnly;
    case "only_deletes":
      return protection.onlyDeletes(label);
    case "idle": {
      const { thresholdPercent, warnSeconds, hibernateSeconds, by } = each;
      const threshold = `${number(thresholdPercent, language.value, 2)}%`;
      return `${protection.idle(threshold, inWords(warnSeconds))} ${protection.hibernates[by](inWords(hibernateSeconds), label)}`;
    }
    case "silence":
      return each.hibernateSeconds === null
        ? protection.silence(inWords(each.toldSeconds))
        : protection.silenceStops(inWords(each.toldSeconds), inWords(each.hibernateSeconds), label);
    case "deleted":
      return protection.deleted(inWords(each.days * DAY_SECONDS), each.withSnapshot);
  }
}

function inWords(seconds: number): string {
  return writeDuration(seconds, policyEditorWords.value.durations.units);
}
