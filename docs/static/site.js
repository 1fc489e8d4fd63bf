// A formula that is a little too wide is set smaller; what is wider still scrolls.
function fit() {
  for (const box of document.querySelectorAll("mjx-container")) {
    box.style.fontSize = "";
    const width = box.scrollWidth || box.getBoundingClientRect().width; // in a line it is the latter
    const share = box.closest("p, li, dd, td, div").clientWidth / width;
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
  // Sentences are wrapped; code and columns are not.
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
  if (target.matches("article img")) target.classList.toggle("enlarged");
  reach();
});
