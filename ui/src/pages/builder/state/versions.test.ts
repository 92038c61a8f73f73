import { expect, it } from "vitest";
import { bumped, freeVersion } from "./versions";

it("proposes the next version", () => {
  expect(bumped("1.2.3")).toBe("1.2.4");
  expect(bumped("1.2.3", "minor")).toBe("1.3.0");
  expect(bumped("1.2.3", "major")).toBe("2.0.0");
  expect(bumped("1.2.3-rc.1")).toBe("1.2.3");
});

it("takes the first that is free", () => {
  expect(freeVersion("0.1.0", [])).toBe("0.1.0");
  expect(freeVersion("0.1.0", ["0.1.1", "0.1.0"])).toBe("0.1.2");
});
