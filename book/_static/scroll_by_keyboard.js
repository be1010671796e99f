// A table wider than the window scrolls sideways. The keyboard can scroll it only if it can be reached; where a
// table fits, it is no stop.
function letTheKeyboardScroll() {
  for (const region of document.querySelectorAll(".pst-scrollable-table-container")) {
    if (region.scrollWidth > region.clientWidth) {
      region.tabIndex = 0;
      region.setAttribute("role", "region");
      region.setAttribute("aria-label", "Table, scrolls sideways");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) region.removeAttribute(name);
    }
  }
}

window.addEventListener("load", letTheKeyboardScroll);
window.addEventListener("resize", letTheKeyboardScroll);
