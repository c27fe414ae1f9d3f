import { comingBackOf } from "./coming-back.ts";
import type { ConnectedProvider } from "./provider.ts";
import { stopsSilent } from "./stopping.ts";
import { phrase, together } from "./words/phrase.ts";
import type { Language, Reader, Said } from "./words/said.ts";
import { say } from "./words/say.ts";

/** What the owner of an instance can do whose wake has failed. Only what is possible at its provider is offered. */

/** The field names are those of the HTTP API. */
export interface WayOnView {
  readonly way: "wait" | "recreate" | "fetch_data";
  readonly how: string;
  /** A request to this API that does it. */
  readonly request: { readonly method: "POST"; readonly path: string } | null;
  /** For the provider's own command line. */
  readonly command: string | null;
  /** Where it can be done at the provider. */
  readonly page: string | null;
}

export function waysOnViews(
  instanceId: string,
  provider: ConnectedProvider,
  providerRef: string | null,
  to: Language | Reader = "en",
): readonly WayOnView[] {
  const { page, recreate, fetchData } = comingBackOf(provider);
  const reference = providerRef ?? instanceId;
  const own = [
    { way: "recreate", wayOn: recreate },
    { way: "fetch_data", wayOn: fetchData },
  ] as const;
  return [
    ...(stopsSilent(provider) ? [wait(instanceId, to)] : []),
    ...own.flatMap(({ way, wayOn }) =>
      wayOn === null
        ? []
        : [
            {
              way,
              how: say(to, wayOn.how),
              request: null,
              command: wayOn.command?.(reference) ?? null,
              page,
            },
          ],
    ),
  ];
}

/** As the words of `way.wait` have it. */
const WAKE_AGAIN = "wake it again later";

function wait(instanceId: string, to: Language | Reader): WayOnView {
  const path = `/api/agent/instances/${encodeURIComponent(instanceId)}/wake`;
  return {
    way: "wait",
    how: say(to, WAKE_AGAIN),
    request: { method: "POST", path },
    command: null,
    page: null,
  };
}

/** All ways in one sentence. */
export function sayWaysOn(provider: ConnectedProvider): Said {
  const { recreate, fetchData } = comingBackOf(provider);
  const ways = [WAKE_AGAIN, recreate?.how, fetchData?.how].filter((way) => way !== undefined);
  return ways.length === 1 ? phrase("wake.later") : phrase("wake.ways", { ways: together("numbered", ways) });
}
