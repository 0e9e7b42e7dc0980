// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { settled } from "@/testing/fakeClock";
import { fakeWire } from "@/testing/fakeWire";
import { lazyWire } from "./wire";

describe("a wire whose library comes later", () => {
  it("connects once it is there, with every listener", async () => {
    const real = fakeWire();
    const wire = lazyWire(() => Promise.resolve(real.wire));
    const heard = vi.fn();
    wire.on("connect", heard);
    wire.connect();
    await settled();
    expect(real.state.connects).toBe(1);
    real.up();
    expect([heard.mock.calls.length, wire.connected]).toEqual([1, true]);
  });

  it("does not connect when nobody wants it any more", async () => {
    const real = fakeWire();
    const wire = lazyWire(() => Promise.resolve(real.wire));
    wire.connect();
    wire.disconnect();
    await settled();
    expect(real.state.connects).toBe(0);
  });

  it("says that it could not connect when the library does not come, and tries again when asked", async () => {
    const real = fakeWire();
    const open = vi.fn(() => Promise.resolve(real.wire)).mockRejectedValueOnce(new TypeError("no network"));
    const wire = lazyWire(open);
    const failed = vi.fn();
    wire.on("connect_error", failed);
    wire.connect();
    await settled();
    expect(failed).toHaveBeenCalledTimes(1);
    wire.connect();
    await settled();
    expect(real.state.connects).toBe(1);
  });
});
