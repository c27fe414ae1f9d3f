import { useMemo } from "preact/hooks";
import { useConnections } from "../settings/connections.tsx";
import { words } from "../words.ts";

/** The names of the user's connections to providers, by their ids. */
export function useConnectionNames(): ReadonlyMap<string, string> {
  const connections = useConnections().data?.connections;
  return useMemo(() => new Map(connections?.map(({ id, name }) => [id, name])), [connections]);
}

/** By which connection instances are called. Nothing for whoever has none. */
export function ConnectionFilter({
  names,
  chosen,
  onChoose,
}: {
  /** By their ids. */
  names: ReadonlyMap<string, string>;
  chosen: string | null;
  onChoose: (connection: string | null) => void;
}) {
  const { filterByConnection, anyConnection } = words.value.instances;
  if (names.size === 0) return null;
  return (
    <select
      aria-label={filterByConnection}
      value={chosen ?? ""}
      onChange={({ currentTarget: { value } }) => onChoose(value === "" ? null : value)}
    >
      <option value="">{anyConnection}</option>
      {[...names].map(([id, name]) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}
