import type { Fields } from "./fields.ts";
import { fromUnversioned } from "./from-unversioned.ts";
import { fromVersion1 } from "./from-version-1.ts";

/** Makes a row of one version a row of the next: pure, and for good. The check comes after the last. */
type Migration = (row: Fields) => Fields;

/**
 * The versions of the stored row. The entry at n makes a row of version n one of version n + 1.
 *
 * A release writes only what the release before it reads: else nobody is heard after a rollback. So a new version is
 * read one release before it is written. A field may be added without one, if whoever does not know it may drop it.
 *
 * To change what is stored:
 * 1. Change the type in `lifecycle/`, and its line in the schemas beside this file, without which it does not compile.
 * 2. Add a migration at the end of this list, in a file of its own if it is long: what does the absence of the new field
 *    mean in a row that was written before it? Never change an entry that was deployed.
 * 3. Keep rows of the new version for good: `node test/instance/golden/write.ts`.
 */
const MIGRATIONS: readonly Migration[] = [
  // 0 to 1
  fromUnversioned,
  // 1 to 2
  fromVersion1,
];

/** The version that this code writes. */
export const VERSION = MIGRATIONS.length;

/** Brings a row of `version` up to date. */
export function migrate(row: Fields, version: number): Fields {
  return MIGRATIONS.slice(version).reduce((migrated, migration) => migration(migrated), row);
}
