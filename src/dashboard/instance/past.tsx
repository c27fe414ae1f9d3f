import { useMemo } from "preact/hooks";
import { changeQuery, query } from "../route.ts";
import type { Detail } from "./detail.ts";
import { ReadingsCard } from "./readings-card.tsx";
import { fromQuery, whyQuery } from "./why/moment.ts";
import { WhyPlace } from "./why/why-place.tsx";

/** The charts, and below them why it was so at the moment that the address names. */
export function Past({
  instance,
  address,
  isWhyAlwaysThere = false,
}: {
  instance: Detail;
  address: string;
  isWhyAlwaysThere?: boolean;
}) {
  const atMs = fromQuery(query.value.get("why"));
  const asked = useMemo(() => (atMs === null ? null : { atMs }), [atMs]);
  const ask = (moment: number) => changeQuery(whyQuery(moment));
  // The chart begins before the machine was known: there its first moment is meant.
  const askAtLeast = (moment: number) => ask(Math.max(moment, Date.parse(instance.registered_at)));
  return (
    <>
      <ReadingsCard instance={instance} address={address} onWhy={askAtLeast} />
      {(isWhyAlwaysThere || asked !== null) && <WhyPlace address={address} asked={asked} onAsk={ask} />}
    </>
  );
}
