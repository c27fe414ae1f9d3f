import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { poll, simulationSpeed } from "../api.ts";
import { connection, fleet, isSightPushed } from "../fleet/fleet.ts";
import { openInSight } from "../fleet/sight.ts";
import { type Live, useRepeated } from "../poll.ts";
import type { Detail } from "./detail.ts";

/**
 * One instance, up to date. That it changed or has had a heartbeat is pushed, and then it is read again. Where heartbeats are not
 * pushed it is read a few times in each, and more often while nothing is pushed.
 */

/** Only time has passed, which the page counts by itself. */
const PUSHED_PAUSE_MS = 60_000;

const UNPUSHED_PAUSE_MS = 3000;
const SHORTEST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 15_000;
const READS_PER_BEAT = 4;

export function useInstance(instanceId: string, address: string): Live<Detail> {
  const live = useRepeated<Detail>(
    address,
    () => {
      let tag: string | null = null;
      return async () => {
        const answer = await poll<Detail>(address, tag);
        if (answer === null) return null;
        tag = answer.tag;
        return answer.body;
      };
    },
    pauseMs,
  );
  const refresh = useRef(live.refresh);
  refresh.current = live.refresh;
  useEffect(() => openInSight(instanceId), [instanceId]);
  useEffect(() => {
    let before = rowOf(instanceId);
    return effect(() => {
      const row = rowOf(instanceId);
      if (row === before) return;
      before = row;
      refresh.current();
    });
  }, [instanceId]);
  return live;
}

function rowOf(instanceId: string) {
  return fleet.value?.instances.find(({ instance_id }) => instance_id === instanceId);
}

function pauseMs(known: Detail | null): number {
  if (known === null || connection.peek() !== "connected") return UNPUSHED_PAUSE_MS;
  if (isSightPushed.peek()) return PUSHED_PAUSE_MS;
  const intervalMs = (known.policy.heartbeat_interval_seconds * 1000) / simulationSpeed.peek();
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, intervalMs / READS_PER_BEAT));
}
