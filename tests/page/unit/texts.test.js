/** Every language has every sentence, with the same things in it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import de from "../../../gateway/page/static/texts/de.js";
import en from "../../../gateway/page/static/texts/en.js";

const STATIC = new URL("../../../gateway/page/static/", import.meta.url);
const holes = (sentence) => [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("German has what English has", () => {
  assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort());
});

test("a sentence tells the same in both languages", () => {
  for (const [key, sentence] of Object.entries(en)) {
    if (key === "row.queued.place.one") continue; // "next" has no number
    assert.deepEqual(holes(de[key]), holes(sentence), key);
  }
});

test("every key that a module names has its sentence", () => {
  const modules = readdirSync(STATIC).filter((name) => name.endsWith(".js"));
  const source = modules.map((name) => readFileSync(new URL(name, STATIC), "utf8")).join("\n");
  const named = [...source.matchAll(/(?:\bt\(|refusal\()\s*"([a-z][\w.]*)"/gi)].map(
    ([, key]) => key,
  );

  assert.ok(named.length > 60);
  for (const key of named) assert.ok(key in en || `${key}.other` in en, key);
});

test("every sentence is used", () => {
  const modules = readdirSync(STATIC).filter((name) => name.endsWith(".js"));
  const source = modules.map((name) => readFileSync(new URL(name, STATIC), "utf8")).join("\n");
  const families =
    /^(row|said|do|kind|quality|channels|loudness|split|state|language|tag|refused|no)\./;

  for (const key of Object.keys(en)) {
    const stem = key.replace(/\.(one|other|hint)$/, "");
    assert.ok(
      families.test(key) || source.includes(`"${key}"`) || source.includes(`"${stem}"`),
      key,
    );
  }
});
