/** What is said to those who do not see the page: one live region, sentence by sentence. */

/** Sentences that stay. */
const KEPT = 20;

/** @param {string} sentence */
export function announce(sentence) {
  const region = /** @type {HTMLElement} */ (document.getElementById("said"));
  const paragraph = document.createElement("p");
  paragraph.textContent = sentence;
  region.append(paragraph);
  while (region.childElementCount > KEPT) region.firstElementChild?.remove();
}
