// What the theme lacks for screen readers and keyboards.
document.addEventListener("DOMContentLoaded", () => {
  const set = (selector, attributes) => document.querySelectorAll(selector).forEach(each =>
    Object.entries(attributes).forEach(([name, value]) => each.setAttribute(name, value)));
  set("p.caption[role=heading]", { "aria-level": "2" });
  set("aside.sidebar-drawer", { "aria-label": "Pages" });
  set("aside.toc-drawer", { "aria-label": "On this page" });
  set(".content-icon-container", { role: "region", "aria-label": "Display" });
  set("div.highlight pre, div.table-wrapper", { tabindex: "0" });
});
