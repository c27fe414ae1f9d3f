import type { Provider, Sighting } from "../../src/providers/provider.ts";

/** A provider that takes every order, and shows what it is told to show. `ordered` hears each order but snapshots. */
export function machineProvider(ordered: (order: string) => void, status: () => Promise<Sighting>): Provider {
  const order = (name: string) => async () => {
    ordered(name);
    return "accepted" as const;
  };
  return {
    hibernate: order("hibernate"),
    forceHibernate: order("force_hibernate"),
    wake: order("wake"),
    delete: order("delete"),
    snapshot: async () => ({ snapshotId: "snap-1", done: true }),
    snapshotState: async () => "pending",
    status,
    list: null,
    verify: async () => {},
  };
}
