import { type ComingBack, comingBackOf } from "../model/coming-back.ts";
import {
  abilitiesOf,
  type Billed,
  type ConnectedProvider,
  type Lost,
  type ProviderAbilities,
} from "../model/provider.ts";
import { sayStoppedRisks, sayUnknownRisks } from "../model/stopped-risks.ts";
import type { Language, Reader } from "../model/words/said.ts";
import { say } from "../model/words/say.ts";

/** What stopping a machine risks, as the API shows it. It stands apart since the page says it by words of its own. */

/** The field names are those of the HTTP API. */
export interface StoppedRisks {
  /** All of it in one sentence. */
  readonly text: string;
  readonly still_billed: readonly Billed[];
  /** Dollars an hour that it costs while it is stopped; null where that is not known. */
  readonly hourly_cost: number | null;
  readonly lost: readonly Lost[];
  readonly may_not_come_back: ProviderAbilities["mayNotComeBack"];
  readonly start_without_gpu: ComingBack["startWithoutGpu"];
  readonly ends_by_itself: ComingBack["endsByItself"];
}

export function stoppedRisks(
  provider: ConnectedProvider,
  hourlyCost: number | null,
  to: Language | Reader = "en",
): StoppedRisks {
  const { billedWhenStopped, lost, mayNotComeBack } = abilitiesOf(provider);
  const { startWithoutGpu, endsByItself } = comingBackOf(provider);
  return {
    text: say(to, sayStoppedRisks(provider, hourlyCost) ?? sayUnknownRisks(provider)),
    still_billed: billedWhenStopped,
    hourly_cost: hourlyCost,
    lost,
    may_not_come_back: mayNotComeBack,
    start_without_gpu: startWithoutGpu,
    ends_by_itself: endsByItself,
  };
}
