// Sorts and filters the tables of anchors. Without scripts, the page shows all of them in the order of the store.
for (const table of document.querySelectorAll("table.anchors")) {
  const body = table.tBodies[0];
  for (const head of table.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th[aria-sort]").forEach(each => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => row.cells[head.cellIndex].dataset.key;
      const rows = [...body.rows].sort((a, b) => key(a).localeCompare(key(b), "en", { numeric: true }));
      body.append(...(down ? rows.reverse() : rows));
    });
  }
}
for (const filter of document.querySelectorAll(".filter")) {
  const table = document.getElementById(filter.dataset.table);
  const words = filter.querySelector("input"), state = filter.querySelector("select");
  const count = filter.querySelector("output"), rows = [...table.tBodies[0].rows];
  const apply = () => {
    const text = words.value.toLowerCase();
    for (const row of rows)
      row.hidden = !row.textContent.toLowerCase().includes(text) || (state.value && row.dataset.state !== state.value);
    count.value = rows.filter(row => !row.hidden).length + " of " + rows.length;
  };
  filter.hidden = false;
  filter.addEventListener("input", apply);
  apply();
}
