/** Rates and times left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../../gateway/page/static/pace.js";

/** @param {number} seconds @param {number} rate @param {number} [from] */
function steady(seconds, rate, from = 0) {
  const pace = new Pace(0);
  for (let at = 0; at <= seconds * 1000; at += 100) pace.note(from + (rate * at) / 1000, at);
  return pace;
}

test("nothing is told in the first three seconds", () => {
  assert.equal(steady(2, 100).perSecond(2000), null);
  assert.equal(steady(2, 100).secondsLeft(1000, 2000), null);
});

test("a steady rate is told as it is", () => {
  assert.ok(Math.abs(steady(5, 100).perSecond(5000) - 100) < 1);
  assert.ok(Math.abs(steady(5, 100).secondsLeft(1000, 5000) - 5) < 0.1);
});

test("what was there before counts as no work", () => {
  assert.ok(Math.abs(steady(5, 100, 9000).perSecond(5000) - 100) < 1);
});

test("ten seconds without a byte are a stall", () => {
  const pace = steady(5, 100);

  assert.ok(!pace.stalled(14_900));
  assert.ok(pace.stalled(15_000));
});
