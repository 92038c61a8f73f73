import { describe, expect, it } from "vitest";
import { rowsOf, withRow, withType } from "./contract";

describe("a contract as a form", () => {
  const schema = {
    required: ["ROWS"],
    properties: {
      ROWS: { type: "integer", minimum: 1, title: "rows" },
      ETAG: { type: ["string", "null"] },
    },
    additionalProperties: false,
  };

  it("has a row for each output and each property", () => {
    expect(rowsOf(schema, ["ROWS", "LOG"])).toEqual([
      { name: "ROWS", required: true, schema: schema.properties.ROWS, others: ["title"] },
      { name: "LOG", required: false, schema: {}, others: [] },
      { name: "ETAG", required: false, schema: schema.properties.ETAG, others: ["type"] },
    ]);
    expect(rowsOf(undefined, ["A"])).toHaveLength(1);
    expect(rowsOf({}, [])).toEqual([]);
  });

  it.each([
    [true],
    [{ anyOf: [] }],
    [{ properties: { A: true } }],
    [{ required: [1] }],
    [{ type: "array" }],
  ])("is none of %j", (other) => expect(rowsOf(other, ["A"])).toBeUndefined());

  it("changes what it shows, and keeps the rest", () => {
    const asked = withRow(schema, "ETAG", { required: true, schema: schema.properties.ETAG });
    expect(asked).toEqual({ ...schema, required: ["ROWS", "ETAG"] });
    expect(withRow(asked, "ETAG", { required: false, schema: schema.properties.ETAG })).toEqual(
      schema,
    );
    const gone = withRow(schema, "ROWS", { required: false, schema: undefined });
    expect(gone).toEqual({
      properties: { ETAG: schema.properties.ETAG },
      additionalProperties: false,
    });
    expect(withRow({ required: ["A"] }, "A", { required: false, schema: {} })).toBeUndefined();
  });

  it("takes limits away that mean nothing to another type", () => {
    const number = { type: "integer", minimum: 1, enum: [1], title: "t" };
    expect(withType(number, "number")).toEqual({
      type: "number",
      minimum: 1,
      enum: [1],
      title: "t",
    });
    expect(withType(number, "boolean")).toEqual({ type: "boolean", title: "t" });
    expect(withType(number, undefined)).toEqual({ enum: [1], title: "t" });
  });
});
