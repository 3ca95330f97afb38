// A table that can be sorted by its headings and paged through.

import { announce, button, h } from "./dom.js";

const PAGE = 50;

const compare = (one, other) => {
  const [empty, otherEmpty] = [one, other].map((value) => value === null || value === undefined || value === "");
  if (empty || otherEmpty) return empty - otherEmpty;
  return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), [], { numeric: true });
};

/**
 * `columns`: {name, value(row), show(row) → node or text, numeric, sortable}. A column without `value` can't be sorted.
 * `rowClass(row)` marks rows. Empty values sort last either way.
 */
export class Table {
  #columns;
  #rowClass;
  #rows = [];
  #by = null;
  #down = false;
  #page = 0;
  #body = h("tbody");
  #pager = h("nav", { class: "pager", "aria-label": "Pages", hidden: true });
  #heads;

  constructor(caption, columns, { rowClass = () => null } = {}) {
    this.#columns = columns;
    this.#rowClass = rowClass;
    this.#heads = columns.map((column) =>
      h("th", { scope: "col", class: column.numeric ? "numeric" : null },
        column.value ? button(column.name, () => this.#sort(column), { class: "sort" }) : h("span", { class: column.hidden ? "unseen" : null }, column.name)));
    this.element = h("div", { class: "table-card card" },
      h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": caption },
        h("table", { class: "rows" }, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, this.#heads)), this.#body)),
      this.#pager);
  }

  /** The rows in the order in which they are shown. */
  get rows() {
    return this.#rows;
  }

  set rows(rows) {
    this.#rows = [...rows];
    this.#arrange();
    this.draw();
  }

  /** Show the present page anew. */
  draw() {
    const pages = Math.max(1, Math.ceil(this.#rows.length / PAGE));
    this.#page = Math.min(this.#page, pages - 1);
    const shown = this.#rows.slice(this.#page * PAGE, (this.#page + 1) * PAGE);
    this.#body.replaceChildren(...shown.map((row) =>
      h("tr", { class: this.#rowClass(row) }, this.#columns.map((column) => h("td", { class: column.numeric ? "numeric" : null }, column.show(row))))));
    this.#pager.hidden = pages === 1;
    if (pages > 1) this.#drawPager(pages);
  }

  #drawPager(pages) {
    const focused = [...this.#pager.querySelectorAll("button")].indexOf(document.activeElement);
    const turn = (by) => () => {
      this.#page += by;
      this.draw();
    };
    this.#pager.replaceChildren(
      button("Earlier", turn(-1), { class: "small", disabled: this.#page === 0 }),
      h("span", {}, `Page ${this.#page + 1} of ${pages}`),
      button("Later", turn(1), { class: "small", disabled: this.#page === pages - 1 }));
    if (focused >= 0) this.#pager.querySelectorAll("button")[focused].focus();
  }

  #sort(column) {
    this.#down = this.#by === column ? !this.#down : false;
    this.#by = column;
    this.#page = 0;
    this.#arrange();
    this.#columns.forEach((one, index) => {
      const direction = one === column ? (this.#down ? "descending" : "ascending") : null;
      if (direction) this.#heads[index].setAttribute("aria-sort", direction);
      else this.#heads[index].removeAttribute("aria-sort");
    });
    this.draw();
    announce(`Sorted by ${column.name}, ${this.#down ? "descending" : "ascending"}.`);
  }

  #arrange() {
    if (!this.#by) return;
    const { value } = this.#by;
    const sign = this.#down ? -1 : 1;
    const empty = (row) => [null, undefined, ""].includes(value(row));
    this.#rows.sort((one, other) => (empty(one) || empty(other) ? 1 : sign) * compare(value(one), value(other)));
  }
}
