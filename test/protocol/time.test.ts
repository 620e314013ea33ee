import fc from "fast-check";
import { describe, it } from "vitest";
import { type EpochMs, fromWireTime, parseWireTime, toWireTime, WireTime } from "#protocol/time";

const BASE = Date.UTC(2026, 0, 1);

describe("a time on the wire", () => {
  it.for([
    ["2026-01-01T00:00:00Z", 0],
    ["2026-01-01 00:00:00+00:00", 0],
    ["2026-01-01", 0],
    ["2026-01-01T00:00", 0],
    ["2026-01-01T00:00:00", 0],
    ["2026-01-01T02:00:00+02:00", 0],
    ["2025-12-31T19:30:00-0430", 0],
    ["2026-01-01T00:00:00.5Z", 500],
    ["2026-01-01T00:00:00,000001Z", 0.001],
    ["2026-01-01T00:00:00.123456789Z", 123.456],
  ] as const)("%s is read as %d ms after the new year", ([text, offsetMs], { expect }) => {
    expect(parseWireTime(text)).toBeCloseTo(BASE + offsetMs, 3);
  });

  it.for([
    "",
    "yesterday",
    "2026-13-01",
    "2026-02-30T00:00:00Z",
    "2026-01-01T25:00:00Z",
    "2026-01-01T00:61:00Z",
    "20260101",
    "0000-12-31T23:59:59Z",
    "0001-01-01T00:00:00+00:01",
    "+010000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00",
    "+275760-09-13T00:00:00-23:00",
  ])("%j is refused", (text, { expect }) => {
    expect(parseWireTime(text)).toBeNull();
    expect(WireTime.safeParse(text).success).toBe(false);
  });

  it.for([
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"],
    ["0099-12-31T00:00:00Z", "0099-12-31T00:00:00.000000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"],
  ] as const)("%s is of the year that it says", ([text, normal], { expect }) => {
    expect(WireTime.parse(text)).toBe(normal);
    expect(toWireTime(fromWireTime(normal))).toBe(normal);
  });

  it.for([
    ["a span without end from now", Number.POSITIVE_INFINITY, /^9999-12-31T23:59:59\.999/],
    ["an hour after the year 9999", 253_402_304_400_000, /^9999-12-31T23:59:59\.999/],
    ["an hour before the year 1", -62_135_600_400_000, /^0001-01-01T00:00:00\.000000Z$/],
  ] as const)("%s is written as a time that can be read", ([, at, written], { expect }) => {
    const text = toWireTime(at as EpochMs);
    expect(text).toMatch(written);
    expect(WireTime.parse(text)).toBe(text);
  });

  it("keeps microseconds through writing and reading", ({ expect }) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), fc.integer({ min: 0, max: 999 }), (ms, micros) => {
        const at = (ms + micros / 1000) as EpochMs;
        const text = toWireTime(at);
        expect(text).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/);
        expect(toWireTime(fromWireTime(text))).toBe(text);
        expect(Math.abs(fromWireTime(text) - at)).toBeLessThan(0.0006);
        // The short way of what is normal reads the very same number.
        expect(fromWireTime(text)).toBe(parseWireTime(text));
      }),
    );
  });

  it("sorts as text in the order of time", ({ expect }) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 0, max: 4e12 }), (a, b) => {
        expect(toWireTime(a as EpochMs) < toWireTime(b as EpochMs)).toBe(a < b);
      }),
    );
  });
});
