/** The page's sentences in the reader's language, with numbers, sizes and times as they are written there. */

const LANGUAGES = ["en", "de"];
const REMEMBERED = "language";

/** @type {Record<string, string>} */
let sentences = {};
let language = "en";

/** Return the languages that there are. */
export const languages = () => LANGUAGES;
/** Return the language that is spoken now. */
export const current = () => language;

/** Return the language that was chosen here, or else the first of the browser's that there is. */
function preferred() {
  const wanted = [localStorage.getItem(REMEMBERED), ...navigator.languages].map((tag) =>
    tag?.slice(0, 2),
  );
  return wanted.find((tag) => tag && LANGUAGES.includes(tag)) ?? "en";
}

/**
 * Speak a language from now on.
 * @param {string} [chosen] remembered; without it, the one that suits
 */
export async function speak(chosen) {
  if (chosen) localStorage.setItem(REMEMBERED, chosen);
  language = chosen ?? preferred();
  sentences = (await import(`./texts/${language}.js`)).default;
  document.documentElement.lang = language;
}

/**
 * Return a sentence with what stands in it.
 *
 * A value is written by its name: `bytes`, `rate`, `seconds`, `percent`, `time`; another text is a list.
 * @param {string} key with a number `n`, the text `key.one` or `key.other`
 * @param {Record<string, any>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const plural = "n" in values ? `${key}.${new Intl.PluralRules(language).select(values.n)}` : key;
  const sentence = sentences[plural] ?? sentences[`${key}.other`] ?? sentences[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => written(name, values[name]));
}

/**
 * Return the words for a text of `rows`, or nothing for none.
 * @param {import("./rows.js").Text | null} text
 */
export const say = (text) => (text ? t(...text) : "");

/**
 * Return what to tell of a refusal: in words of ours where there are some, or else in the server's.
 * @param {import("./api.js").Problem} problem
 */
export function refused({ code, message, hint }) {
  const ours = sentences[`refused.${code}`];
  if (ours) return ours;
  return [message, hint].filter(Boolean).map(sentence).join(" ");
}

/** @param {string} words */
function sentence(words) {
  const begun = words[0].toUpperCase() + words.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** @type {Record<string, (value: any) => string>} */
const WRITERS = {
  bytes: size,
  sent: size,
  whole: size,
  limit: size,
  used: size,
  rate: (value) => `${size(value)}/s`,
  seconds: duration,
  percent: (value) => number(Math.floor(value * 100) / 100, { style: "percent" }),
  time: (value) =>
    new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(
      new Date(value),
    ),
  n: (value) => number(value),
  of: (value) => number(value),
};

/**
 * @param {string} name
 * @param {any} value
 */
function written(name, value) {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return t(value[0], value[1]);
  return WRITERS[name]?.(value) ?? String(value);
}

/**
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
function number(value, options) {
  return new Intl.NumberFormat(language, options).format(value);
}

/**
 * Return a size: "22 MB".
 * @param {number} bytes
 */
export function size(bytes) {
  const units = ["kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = bytes < 1000 ? 0 : Math.min(units.length, Math.floor(Math.log10(bytes) / 3)) - 1;
  const value = bytes / 1000 ** (power + 1);
  const unit = { style: /** @type {const} */ ("unit"), unit: units[power] };
  return number(value, { ...unit, maximumFractionDigits: value < 10 && power > 0 ? 1 : 0 });
}

/**
 * Return a length of time as one speaks of it: "2 h 5 min", "40 s".
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor((whole % 3600) / 60), "minute"],
    [whole % 60, "second"],
  ];
  const first = parts.findIndex(([amount]) => amount);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount)
    .map(([amount, unit]) =>
      number(Number(amount), { style: "unit", unit: String(unit), unitDisplay: "short" }),
    )
    .join(" ");
}

/**
 * Return a place in a sound: "1:02:03".
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) =>
    String(part).padStart(2, "0"),
  );
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1]}`;
}
