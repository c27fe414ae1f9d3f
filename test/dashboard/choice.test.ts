import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addressWith,
  COLUMNS,
  columnsIn,
  columnsName,
  selectionIn,
  sortAfter,
  sortName,
} from "../../src/dashboard/fleet/choice.ts";
import { SORT_KEYS } from "../../src/dashboard/fleet/select.ts";

const query = (text: string) => new URLSearchParams(text);

describe("what the list shows, by its address", () => {
  it("is everything, with what needs an eye first, where the address says nothing", () => {
    expect(selectionIn(query(""))).toEqual({
      group: null,
      status: null,
      connection: null,
      tags: [],
      search: "",
      sort: "attention",
      descending: false,
    });
  });

  it("is what the address says of it", () => {
    const address = "group=wasting&status=orphaned&connection=c-1&tag=team%3Avision&search=rig&sort=-rate";
    expect(selectionIn(query(address))).toEqual({
      group: "wasting",
      status: "orphaned",
      connection: "c-1",
      tags: [{ key: "team", value: "vision" }],
      search: "rig",
      sort: "rate",
      descending: true,
    });
  });

  it("leaves out what there is not, whatever it is", () => {
    const wrong = selectionIn(query("group=__proto__&status=gone&sort=-constructor&columns=status,%00"));
    expect([wrong.group, wrong.status, wrong.sort]).toEqual([null, null, "attention"]);
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, value) => {
        const given = new URLSearchParams([[name, value]]);
        expect(() => [selectionIn(given), columnsIn(given)]).not.toThrow();
      }),
    );
  });

  it("brings back every order that it names", () => {
    for (const sort of SORT_KEYS) {
      for (const descending of sort === "attention" ? [false] : [false, true]) {
        const name = sortName(sort, descending);
        expect(selectionIn(query(addressWith(query(""), { sort: name }).slice(3)))).toMatchObject({
          sort,
          descending,
        });
      }
    }
  });
});

describe("a column", () => {
  it("that is chosen to sort by turns round, and then lets go", () => {
    const chosen = (sort: string) => selectionIn(query(`sort=${sort}`));
    expect(sortAfter(chosen(""), "rate")).toBe("-rate");
    expect(sortAfter(chosen("-rate"), "rate")).toBe("rate");
    expect(sortAfter(chosen("rate"), "rate")).toBe(null);
    expect(sortAfter(chosen("-rate"), "name")).toBe("name");
  });

  it("is taken out and put in again, in the order of the table", () => {
    const all = columnsIn(query(""));
    expect(all).not.toContain("provider");
    const without = columnsName(all, "gpu");
    expect(without).toBe("status,next,heartbeat,rate,cost,wasted");
    const fewer = columnsIn(query(`columns=${without}`));
    expect(columnsName(fewer, "gpu")).toBe(null);
    expect(columnsIn(query("columns=wasted,status,nothing,status"))).toEqual(["status", "wasted"]);
    expect(columnsIn(query("columns="))).toEqual([]);
    expect(columnsIn(query(`columns=${COLUMNS.join()}`))).toEqual(COLUMNS);
  });
});
