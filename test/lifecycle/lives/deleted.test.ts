import {
  ABANDONED,
  checkLives,
  DAY,
  DELETING,
  deleteOrdered,
  FIRST_HEARD,
  HIBERNATED,
  HIBERNATING,
  hibernatedForSilence,
  type Life,
  ORPHANED,
  REGISTERED,
  SILENT,
} from "./life.ts";

const LIVES: readonly Life[] = [
  [
    "an instance that is silent for seven days and deleted at the second try",
    () => {
      const line = deleteOrdered(hibernatedForSilence());
      line.fail("no snapshot");
      line.until(line.now + DAY).command({ type: "cleanup" });
      line.permit();
      line.succeed("snap-1");
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      HIBERNATED,
      ABANDONED,
      DELETING,
      [
        605100,
        "delete_failed",
        "critical",
        "Not deleted: no snapshot",
        { action_id: "delete", failures: 1, repeated: false },
      ],
      [
        691500,
        "deleting",
        "warning",
        "Deleting: orphaned since 2025-12-19T00:05:00Z",
        {
          rule: "orphan.delete_after_days",
          orphaned_since: "2025-12-19T00:05:00Z",
          snapshot_first: true,
          action_id: "delete",
        },
      ],
      [
        691500,
        "deleted",
        "warning",
        "Instance auto-deleted after 8 days orphaned. Snapshot saved: snap-1",
        { snapshot_id: "snap-1", orphaned_since: "2025-12-19T00:05:00Z", action_id: "delete" },
      ],
    ],
  ],
  [
    "an instance that is heard when it is to be deleted",
    () => {
      const line = deleteOrdered(hibernatedForSilence());
      line.heartbeat();
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      HIBERNATED,
      ABANDONED,
      DELETING,
      [
        605100,
        "delete_cancelled",
        "info",
        "Deletion called off: heartbeat received",
        { action_id: "delete" },
      ],
      [
        605100,
        "recovered",
        "info",
        "Recovered: heartbeat received after 7 days as an orphan",
        { orphaned_since: "2025-12-19T00:05:00Z", step: "force_hibernate", flapping: false },
      ],
      [
        605100,
        "woken",
        "info",
        "Woken: heartbeats are back",
        { reason: "silence", hibernated_seconds: 603300, regretted: false },
      ],
    ],
  ],
  [
    "an instance that was started where it is rented",
    () => {
      const line = deleteOrdered(hibernatedForSilence());
      line.command({ type: "action.found_running", actionId: line.actionId });
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      HIBERNATED,
      ABANDONED,
      DELETING,
      [
        605100,
        "found_running",
        "critical",
        "Not deleted: it was hibernated, and webhook shows it running. Somebody started it; it costs money and sends no heartbeat",
        { action_id: "delete", orphaned_since: "2025-12-19T00:05:00Z" },
      ],
    ],
  ],
  [
    "an instance that was deleted where it is rented",
    () => {
      const line = deleteOrdered(hibernatedForSilence());
      line.command({ type: "action.gone", actionId: line.actionId });
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      HIBERNATED,
      ABANDONED,
      DELETING,
      [
        605100,
        "gone",
        "warning",
        "webhook has no such instance any more: it counts as deleted",
        { action_id: "delete", asked_to: "delete" },
      ],
    ],
  ],
];

checkLives(LIVES);
