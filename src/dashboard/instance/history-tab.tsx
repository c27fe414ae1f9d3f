import { Timeline } from "../parts/timeline.tsx";
import { changeQuery } from "../route.ts";
import { words } from "../words.ts";
import type { PartProps } from "./detail.ts";
import { Past } from "./past.tsx";
import { whyQuery } from "./why/moment.ts";

/** What the instance did, and why what happened to it happened. */
export function HistoryTab({ instance, address }: PartProps) {
  return (
    <>
      <Past instance={instance} address={address} isWhyAlwaysThere />
      <section class="card">
        <h2>{words.value.timeline}</h2>
        <Timeline
          path={`${address}/events`}
          withInstance={false}
          isFiltered
          onWhy={(at) => changeQuery(whyQuery(Date.parse(at)))}
        />
      </section>
    </>
  );
}
