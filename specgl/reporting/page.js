"use strict";
(() => {
  // Tables: a click on a head sorts, a text filters. A cluster moves as a whole, its sub-peaks with it.
  const cellOf = (unit, column) => {
    const row = unit.tagName === "TBODY" ? unit.rows[0] : unit;
    return row.cells[column] ? row.cells[column].textContent.trim().replace(/\u2212/g, "-") : "";
  };
  const numberOf = (text) => {
    const found = text.replace(/(\d),(?=\d{3})/g, "$1").match(/-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?/i);
    if (!found) return NaN;
    const value = parseFloat(found[0]);
    return text.startsWith("<") ? value * 0.999 : text.startsWith(">") ? value * 1.001 : value;
  };
  const words = new Intl.Collator("en", { numeric: true });

  function sortable(table, number) {
    const clusters = table.tBodies.length > 1;
    const units = clusters ? Array.from(table.tBodies) : Array.from(table.tBodies[0].rows);
    if (units.length < 2) return;
    const holder = clusters ? table : table.tBodies[0];
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      const compare = head.classList.contains("number")
        ? (a, b) => numberOf(a) - numberOf(b)
        : (a, b) => words.compare(a, b);
      button.addEventListener("click", () => {
        const falling = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        const keyed = units.map((unit, place) => [cellOf(unit, column), place, unit]);
        const empty = (text) => text === "" || (head.classList.contains("number") && Number.isNaN(numberOf(text)));
        keyed.sort((a, b) => {
          const [first, second] = [empty(a[0]), empty(b[0])];
          if (first || second) return first - second || a[1] - b[1];
          return (falling ? -1 : 1) * compare(a[0], b[0]) || a[1] - b[1];
        });
        holder.append(...keyed.map((entry) => entry[2]));
      });
    });
    if (units.length > 5) filterable(table, units, clusters ? "clusters" : "rows", number);
  }

  function filterable(table, units, noun, number) {
    const box = document.createElement("div");
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    box.className = "filter";
    input.type = "search";
    input.id = `filter-${number}`;
    label.htmlFor = input.id;
    label.textContent = `Filter ${noun}`;
    count.htmlFor = input.id;
    box.append(label, input, count);
    table.closest(".scroll").before(box);
    const texts = units.map((unit) => unit.textContent.replace(/\u2212/g, "-").toLowerCase());
    input.addEventListener("input", () => {
      const wanted = input.value.trim().replace(/\u2212/g, "-").toLowerCase();
      let shown = 0;
      units.forEach((unit, place) => {
        unit.hidden = !texts[place].includes(wanted);
        shown += unit.hidden ? 0 : 1;
      });
      count.textContent = wanted ? `${shown} of ${units.length}` : "";
    });
  }

  // What scrolls can be reached by keyboard.
  function reachable() {
    for (const box of document.querySelectorAll(".scroll, .card.wide, pre")) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      if (scrolls) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  // A link into something folded unfolds it.
  function unfold() {
    const target = document.querySelector(":target");
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  }

  // The methods: to the clipboard, or at least selected.
  async function copy(button) {
    const text = document.getElementById(button.dataset.copy);
    const said = button.parentElement.querySelector(".copied");
    const selected = getSelection();
    selected.selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.innerText);
      said.textContent = "Copied.";
      selected.removeAllRanges();
    } catch {
      const done = document.execCommand && document.execCommand("copy");
      said.textContent = done ? "Copied." : "Selected: copy it with the keyboard.";
    }
  }

  // On paper everything is open.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    folded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));

  document.querySelectorAll("table[data-sorts]").forEach(sortable);
  document.querySelectorAll(".copy").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  });
  document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", reachable));
  addEventListener("resize", reachable);
  addEventListener("hashchange", unfold);
  reachable();
  if (location.hash) unfold();
})();
