/** Where the keyboard is, while what is drawn changes under it. */

/**
 * Draw; if what had the focus is gone then, what was around it gets it.
 * @param {() => void} draw
 */
export function kept(draw) {
  const around = [];
  for (let element = document.activeElement; element; element = element.parentElement)
    around.push(element);
  draw();
  if (around[0]?.isConnected) return;
  const left = around.find((element) => element.isConnected && element.hasAttribute("tabindex"));
  /** @type {HTMLElement | undefined} */ (left)?.focus();
}
