import { instanceAddress } from "../address.ts";
import { Timeline } from "../parts/timeline.tsx";
import type { PartProps } from "./detail.ts";
import { Figures } from "./figures.tsx";
import { Past } from "./past.tsx";
import { PreparationCard } from "./preparation-card.tsx";
import { UseCard } from "./use-card.tsx";
import { instanceWords } from "./words.ts";

/** How the instance is now, and how it came there. */
export function OverviewTab({ instance, address }: PartProps) {
  const { now, latest, whole } = instanceWords.value;
  return (
    <>
      <Past instance={instance} address={address} />
      <div class="columns">
        <div>
          <section class="card">
            <h2>{now}</h2>
            <Figures instance={instance} />
          </section>
          <UseCard instance={instance} />
        </div>
        <div>
          <section class="card">
            <header>
              <h2>{latest}</h2>
              <a href={instanceAddress(instance.instance_id, "history")}>{whole}</a>
            </header>
            <Timeline path={`${address}/events`} withInstance={false} most={5} />
          </section>
          <PreparationCard preparation={instance.preparation} address={address} />
        </div>
      </div>
    </>
  );
}
