const FORMULA = 'mjx-container[display="true"]';

// A formula that is a little too wide is set smaller; what is wider still scrolls.
function fit() {
  for (const box of document.querySelectorAll(FORMULA)) {
    box.style.fontSize = "";
    const share = box.parentElement.clientWidth / box.scrollWidth;
    if (share < 1) box.style.fontSize = `${100 * Math.max(0.98 * share, 0.65)}%`;
  }
}
// What scrolls sideways can be scrolled with the keyboard, too.
function reach() {
  fit();
  for (const box of document.querySelectorAll("pre, .table-wrapper, .output, div.math, mjx-container")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("load", () => {
  // Sentences are wrapped on a narrow screen; code and columns are not.
  for (const box of document.querySelectorAll("pre")) {
    const printed = box.closest(".cell_output, .highlight-text, .highlight-sh") || box.innerText.startsWith(">>>");
    const columns = box.textContent.match(/\S {2,}\S|^ {8}/gm) ?? [];
    box.classList.toggle("sentences", Boolean(printed) && columns.length < 3);
  }
  Promise.resolve(window.MathJax?.startup?.promise).then(reach);
  document.addEventListener("toggle", reach, true);
});
addEventListener("resize", reach);
addEventListener("click", ({ target }) => {
  if (target.matches(".cell_output > img")) target.classList.toggle("enlarged");
  reach();
});
