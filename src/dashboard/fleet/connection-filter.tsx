import { useConnections } from "../settings/connections.tsx";
import { words } from "../words.ts";

/** By which connection instances are called. Nothing for whoever has none. */
export function ConnectionFilter({
  chosen,
  onChoose,
}: {
  chosen: string | null;
  onChoose: (connection: string | null) => void;
}) {
  const connections = useConnections().data?.connections ?? [];
  const { filterByConnection, anyConnection } = words.value.instances;
  if (connections.length === 0) return null;
  return (
    <select
      aria-label={filterByConnection}
      value={chosen ?? ""}
      onChange={({ currentTarget: { value } }) => onChoose(value === "" ? null : value)}
    >
      <option value="">{anyConnection}</option>
      {connections.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}
