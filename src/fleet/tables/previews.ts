import { readableRows } from "../../lifecycle/model/stored.ts";
import { listTags, writeTag } from "../../lifecycle/model/tags.ts";
import { addFrontiers, NO_FRONTIER } from "../../replay/proposal-points.ts";
import {
  addLine,
  type FailedBecause,
  type KeptLine,
  NO_SUM,
  type PreviewLine,
  type PreviewSkip,
  writeSmall,
} from "../rules/preview.ts";
import {
  lineRow,
  type PreviewPage,
  type PreviewRow,
  previewRow,
  skipRow,
  type TagSum,
  tagRow,
} from "./preview-rows.ts";

/** Previews of policies: a row each, and a row for each of their instances. */

/** The newest that a user keeps. */
const PREVIEWS_KEPT = 20;

/** Of how many instances a preview may be, and all that are kept together. */
export const PREVIEW_LINES_KEPT = 100_000;

/** Of so many tags a preview keeps what their instances come to. */
const TAGS_KEPT = 50;

/** A preview that cannot reach more instances than it has replayed, and so many, gives up. */
const OUT_OF_REACH_AT_LEAST = 50;

export class Previews {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Begins one: the newest, also of those of the same moment. The oldest go: there are at most so many, and so many lines of all together. */
  add(preview: Pick<PreviewRow, "id" | "request" | "total" | "from" | "to">, now: number): void {
    this.#sql.exec(
      `INSERT INTO previews (id, created_at, moved_at, from_at, to_at, state, request, total, done, skipped, after, sum)
       VALUES (?1, MAX(?2, 1 + COALESCE((SELECT MAX(created_at) FROM previews), 0)), ?2, ?3, ?4, 'running',
               ?5, ?6, 0, 0, '', ?7)`,
      preview.id,
      now,
      preview.from,
      preview.to,
      JSON.stringify(preview.request),
      preview.total,
      JSON.stringify(NO_SUM),
    );
    for (const id of this.#beyond()) this.delete(id);
  }

  #beyond(): string[] {
    const rows = this.#sql.exec<{ id: string; total: number }>(
      "SELECT id, total FROM previews ORDER BY created_at DESC, id",
    );
    let lines = 0;
    return rows.toArray().flatMap(({ id, total }, index) => {
      lines += total;
      return index >= PREVIEWS_KEPT || (index > 0 && lines > PREVIEW_LINES_KEPT) ? [id] : [];
    });
  }

  /** Newest first. One that this release cannot read is left out. */
  list(): PreviewRow[] {
    return readableRows(
      previewRow,
      this.#sql.exec("SELECT * FROM previews ORDER BY created_at DESC, id").toArray(),
    );
  }

  /** The newest that is done and fits; null without one. Sums are large: no more of them are read than it takes. */
  newestDone(fits: (preview: PreviewRow) => boolean): PreviewRow | null {
    const rows = this.#sql.exec("SELECT * FROM previews WHERE state = 'done' ORDER BY created_at DESC, id");
    for (const row of rows) {
      const preview = readableRows(previewRow, [row]).find(fits);
      if (preview !== undefined) return preview;
    }
    return null;
  }

  find(id: string): PreviewRow | null {
    const rows = this.#sql.exec("SELECT * FROM previews WHERE id = ?", id);
    return readableRows(previewRow, rows.toArray())[0] ?? null;
  }

  /** False when there is none. */
  delete(id: string): boolean {
    this.#sql.exec("DELETE FROM preview_lines WHERE preview_id = ?", id);
    this.#sql.exec("DELETE FROM preview_tags WHERE preview_id = ?", id);
    return this.#sql.exec("DELETE FROM previews WHERE id = ?", id).rowsWritten > 0;
  }

  /** What became of a page of its instances, which ends at `after`. A page that comes twice changes nothing. */
  take(preview: PreviewRow, { lines, skips, after }: PreviewPage, now: number): void {
    const known = this.#known(preview.id, [...lines, ...skips]);
    const newLines = lines.filter(({ instanceId }) => !known.has(instanceId));
    const newSkips = skips.filter(({ instanceId }) => !known.has(instanceId));
    for (const line of newLines) this.#addRow(preview.id, line.instanceId, null, keptOf(line));
    for (const { instanceId, because } of newSkips) this.#addRow(preview.id, instanceId, because, null);
    this.#addTags(preview.id, newLines);
    const sum = newLines.reduce(addLine, preview.sum);
    this.#sql.exec(
      `UPDATE previews SET done = done + ?, skipped = skipped + ?, after = MAX(after, ?), sum = ?, moved_at = ?
       WHERE id = ?`,
      newLines.length,
      newSkips.length,
      after,
      writeSmall(sum),
      now,
      preview.id,
    );
  }

  /** What their lines come to by tag. Of more tags than are kept, those that came first. */
  #addTags(id: string, lines: readonly PreviewLine[]): void {
    const sums = new Map(this.tags(id).map(({ tag, frontier }) => [tag, frontier]));
    const changed = new Set<string>();
    for (const { tags, frontier } of lines) {
      if (frontier.instances === 0) continue;
      for (const tag of listTags(tags).map(writeTag)) {
        if (!sums.has(tag) && sums.size >= TAGS_KEPT) continue;
        sums.set(tag, addFrontiers(sums.get(tag) ?? NO_FRONTIER, frontier));
        changed.add(tag);
      }
    }
    for (const tag of changed) {
      this.#sql.exec(
        `INSERT INTO preview_tags (preview_id, tag, frontier) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET frontier = excluded.frontier`,
        id,
        tag,
        writeSmall(sums.get(tag) ?? NO_FRONTIER),
      );
    }
  }

  /** What the lines of each tag come to. */
  tags(id: string): TagSum[] {
    const rows = this.#sql.exec(
      "SELECT tag, frontier FROM preview_tags WHERE preview_id = ? ORDER BY tag",
      id,
    );
    return readableRows(tagRow, rows.toArray());
  }

  #known(id: string, ones: readonly { readonly instanceId: string }[]): ReadonlySet<string> {
    const rows = this.#sql.exec<{ instance_id: string }>(
      `SELECT instance_id FROM preview_lines
       WHERE preview_id = ? AND instance_id IN (SELECT value FROM json_each(?))`,
      id,
      JSON.stringify(ones.map(({ instanceId }) => instanceId)),
    );
    return new Set(rows.toArray().map(({ instance_id }) => instance_id));
  }

  #addRow(id: string, instanceId: string, skipped: string | null, line: KeptLine | null): void {
    this.#sql.exec(
      "INSERT INTO preview_lines (preview_id, instance_id, skipped, line, change) VALUES (?, ?, ?, ?, ?)",
      id,
      instanceId,
      skipped,
      line === null ? null : writeSmall(line),
      line === null ? null : Math.abs(line.candidate.saved - line.actual.saved),
    );
  }

  /** Whether so many of its instances were out of reach that its sums say little. */
  isOutOfReach({ id, done }: Pick<PreviewRow, "id" | "done">): boolean {
    const most = Math.max(OUT_OF_REACH_AT_LEAST, done);
    const rows = this.#sql.exec(
      `SELECT 1 FROM preview_lines
       WHERE preview_id = ? AND skipped IN ('out_of_reach', 'history_out_of_reach') LIMIT ?`,
      id,
      most,
    );
    return rows.toArray().length === most;
  }

  /** All its instances are through. Those that were removed before their turn count no more. */
  finish(id: string, now: number): void {
    this.#sql.exec(
      "UPDATE previews SET state = 'done', total = done + skipped, moved_at = ? WHERE id = ?",
      now,
      id,
    );
  }

  fail(id: string, because: FailedBecause, now: number): void {
    this.#sql.exec(
      "UPDATE previews SET state = 'failed', because = ?, moved_at = ? WHERE id = ? AND state = 'running'",
      because,
      now,
      id,
    );
  }

  /** The lines for which the candidate changes most, in dollars. */
  mostChanged(id: string, limit: number): KeptLine[] {
    const rows = this.#sql.exec(
      `SELECT line FROM preview_lines
       WHERE preview_id = ? AND change IS NOT NULL ORDER BY change DESC, instance_id LIMIT ?`,
      id,
      limit,
    );
    return readableRows(lineRow, rows.toArray());
  }

  /** Lines after an instance, in the order of ids. */
  lines(id: string, after: string, limit: number): KeptLine[] {
    const rows = this.#sql.exec(
      `SELECT line FROM preview_lines
       WHERE preview_id = ? AND instance_id > ? AND line IS NOT NULL ORDER BY instance_id LIMIT ?`,
      id,
      after,
      limit,
    );
    return readableRows(lineRow, rows.toArray());
  }

  /** Instances that are in no sum. */
  skips(id: string, limit: number): PreviewSkip[] {
    const rows = this.#sql.exec(
      `SELECT instance_id, skipped FROM preview_lines
       WHERE preview_id = ? AND skipped IS NOT NULL ORDER BY instance_id LIMIT ?`,
      id,
      limit,
    );
    return readableRows(skipRow, rows.toArray());
  }
}

function keptOf({ instanceId, name, tags, outcomes, proposal }: PreviewLine): KeptLine {
  return { instanceId, name, tags, actual: outcomes.actual, candidate: outcomes.candidate, proposal };
}
