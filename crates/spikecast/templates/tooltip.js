"use strict";
// Shows the title of the shape under the pointer at once, also on touch. Without this script the
// browser shows the same titles after a moment.
(() => {
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const words = shape => {
    const title = shape.querySelector("title");
    if (title) { shape.dataset.words = title.textContent; title.remove(); }
    return shape.dataset.words;
  };
  const show = event => {
    const shape = event.target instanceof Element ? event.target.closest("svg rect") : null;
    const text = shape ? words(shape) : "";
    tip.hidden = !text;
    if (!text) return;
    if (tip.textContent !== text) tip.textContent = text;
    const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 18;
    const y = below + tip.offsetHeight < innerHeight ? below : event.clientY - tip.offsetHeight - 12;
    tip.style.transform = `translate(${Math.max(8, x)}px, ${Math.max(8, y)}px)`;
  };
  document.addEventListener("pointermove", show, { passive: true });
  document.addEventListener("pointerdown", show, { passive: true });
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  document.documentElement.addEventListener("pointerleave", () => { tip.hidden = true; });
})();
