// What scrolls sideways can be scrolled with the keyboard, too.
function reach() {
  for (const box of document.querySelectorAll("pre, .table-wrapper, .output, div.math, mjx-container")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("load", () => {
  Promise.resolve(window.MathJax?.startup?.promise).then(reach);
  document.addEventListener("toggle", reach, true);
});
addEventListener("resize", reach);
