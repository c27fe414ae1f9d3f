import { useState } from "preact/hooks";
import { Timeline } from "../parts/timeline.tsx";
import { words } from "../words.ts";
import type { PartProps } from "./detail.ts";
import { ReadingsCard } from "./readings-card.tsx";
import type { AskedMoment } from "./why/moment.ts";
import { WhyPlace } from "./why/why-place.tsx";

/** What the instance did, and why what happened to it happened. */
export function HistoryTab({ instance, address }: PartProps) {
  const [asked, setAsked] = useState<AskedMoment | null>(null);
  return (
    <>
      <ReadingsCard address={address} intervalSeconds={instance.policy.heartbeat_interval_seconds} />
      <WhyPlace address={address} asked={asked} />
      <section class="card">
        <h2>{words.value.timeline}</h2>
        <Timeline
          path={`${address}/events`}
          withInstance={false}
          onWhy={(at) => setAsked({ atMs: Date.parse(at) })}
        />
      </section>
    </>
  );
}
