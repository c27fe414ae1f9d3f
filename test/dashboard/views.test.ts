import { describe, expect, it } from "vitest";
import {
  MOST_VIEWS,
  queryOfView,
  type SavedView,
  viewsIn,
  withoutView,
  withView,
} from "../../src/dashboard/fleet/views.ts";

const query = (text: string) => new URLSearchParams(text);

describe("saved views", () => {
  it("are known by what they show, in whatever order an address has it", () => {
    expect(queryOfView(query("sort=-rate&group=idle"))).toBe(queryOfView(query("group=idle&sort=-rate")));
    expect(queryOfView(query("tag=b%3A1&tag=a%3A1"))).toBe("tag=b%3A1&tag=a%3A1");
  });

  it("are kept by their names, each once", () => {
    const one = withView([], " Idle ", query("group=idle")) ?? [];
    expect(one).toEqual([{ name: "Idle", query: "group=idle" }]);
    const other = withView(one, "Idle", query("group=idle&sort=-rate")) ?? [];
    expect(other).toEqual([{ name: "Idle", query: "group=idle&sort=-rate" }]);
    expect(viewsIn(JSON.stringify(other))).toEqual(other);
    expect(withoutView(other, "Idle")).toEqual([]);
  });

  it("are no more than a browser keeps, nor longer", () => {
    let views: readonly SavedView[] = [];
    for (let index = 0; index < MOST_VIEWS; index += 1)
      views = withView(views, `view ${index}`, query("group=idle")) ?? [];
    expect(views).toHaveLength(MOST_VIEWS);
    expect(withView(views, "one more", query(""))).toBe(null);
    expect(withView(views, "view 3", query("group=orphaned"))).toHaveLength(MOST_VIEWS);
    expect(withView([], "", query(""))).toBe(null);
    expect(withView([], "x".repeat(41), query(""))).toBe(null);
    expect(withView([], "long", query(`search=${"x".repeat(2000)}`))).toBe(null);
  });

  it("are none where the browser has kept something else", () => {
    for (const kept of [
      null,
      "",
      "{",
      "7",
      "{}",
      '["x", null, 3]',
      '[{"name":7,"query":""}]',
      '[{"name":"a"}]',
    ])
      expect(viewsIn(kept)).toEqual([]);
    expect(viewsIn('[{"name":"a","query":"group=idle"},{"name":""}]')).toEqual([
      { name: "a", query: "group=idle" },
    ]);
  });
});
