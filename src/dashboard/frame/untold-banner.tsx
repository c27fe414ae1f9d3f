import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { settingsAddress } from "../address.ts";
import { ask } from "../api.ts";
import { connection, notDelivered } from "../fleet/fleet.ts";
import type { Channel } from "../settings/channels/channel.ts";
import { frameWords } from "./words.ts";

/** The names of channels that are gone while no other is left; empty while somebody is told. */
const lost = signal<readonly string[]>([]);

/** Notes how the channels stand, as whoever has read them tells. */
export function noteChannels(channels: readonly Pick<Channel, "name" | "confirmed" | "paused">[]): void {
  const isToldOf = channels.some(({ confirmed, paused }) => confirmed && paused === null);
  const gone = channels.filter(({ paused }) => paused?.because === "gone");
  lost.value = isToldOf ? [] : gone.map(({ name }) => name);
}

/** Nobody hears of an alert any more: that must be seen wherever somebody looks. */
export function UntoldBanner() {
  const [heard, state] = [notDelivered.value, connection.value];
  useEffect(() => {
    // A connection that begins with the whole fleet does not tell what happened before it: so each new one asks.
    if (state === "lost" || state === "unavailable") return;
    let isWanted = true;
    // What cannot be asked now is asked with the next message that reaches nobody.
    ask<{ channels: readonly Channel[] }>("GET", "/api/agent/channels").then(
      ({ channels }) => {
        if (isWanted) noteChannels(channels);
      },
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [heard, state]);
  // Whoever signs in next has other channels.
  useEffect(() => () => noteChannels([]), []);
  if (lost.value.length === 0) return null;
  const { nobodyTold, toChannels } = frameWords.value;
  return (
    <p class="banner unstoppable" role="alert">
      {nobodyTold(lost.value)} <a href={settingsAddress("channels")}>{toChannels}</a>
    </p>
  );
}
