// @ts-check
import { el, show } from "../shared/dom.js";
import { say } from "./words.js";

/**
 * @template T
 * @typedef {{label: string, cell: (row: T) => (Node | string | null)[], kind?: string}} Column
 */

/**
 * A list in pages; on a narrow screen each row becomes a card with all columns. A row that did not change keeps its
 * elements, so that the focus and a pointer stay where they are while the list is asked for again.
 *
 * @template T
 */
export class Table {
  /**
   * @param {{
   *   name: string, columns: Column<T>[], key: (row: T) => string, empty: string,
   *   turn: (page: number) => void, size?: number,
   * }} given
   */
  constructor({ name, columns, key, empty, turn, size = 10 }) {
    this._columns = columns;
    this._key = key;
    this._empty = empty;
    this._turn = turn;
    this.size = size;
    this.page = 0;
    this._said = "";
    this._rows = el("tbody", {});
    this._pager = el("div", { class: "pg" });
    /** @type {Map<string, {said: string, row: HTMLTableRowElement}>} */
    this._shown = new Map();
    const heads = columns.map((column) => el("th", { scope: "col", class: column.kind }, column.label));
    const table = el("table", { "aria-label": name }, el("thead", {}, el("tr", {}, ...heads)), this._rows);
    this.node = el(
      "div",
      {},
      el("div", { class: "tw", tabindex: 0, role: "region", "aria-label": name }, table),
      this._pager,
    );
  }

  /** Where the page begins. */
  get skip() {
    return this.page * this.size;
  }

  /**
   * Show a page.
   *
   * @param {T[]} rows
   * @param {number | null} total null: unknown, and *more* says whether another page follows
   * @param {boolean} [more]
   */
  update(rows, total, more = false) {
    const known = total ?? (more ? null : this.skip + rows.length);
    const focus = document.activeElement?.closest?.("[data-focus]")?.getAttribute("data-focus");
    const shown = new Map();
    for (const row of rows) {
      const key = this._key(row);
      const said = JSON.stringify(row);
      const before = this._shown.get(key);
      shown.set(key, before?.said === said ? before : { said, row: this._row(row) });
    }
    this._shown = shown;
    const elements = rows.length ? [...shown.values()].map(({ row }) => row) : [this._nothing()];
    const there = [...this._rows.children];
    if (elements.length !== there.length || elements.some((element, at) => element !== there[at])) {
      this._rows.replaceChildren(...elements);
      if (focus)
        /** @type {HTMLElement | null} */ (this._rows.querySelector(`[data-focus="${CSS.escape(focus)}"]`))?.focus();
    }
    this._pages(rows.length, known, more);
  }

  /** @param {T} row */
  _row(row) {
    return el(
      "tr",
      {},
      ...this._columns.map((column) => el("td", { "data-l": column.label, class: column.kind }, ...column.cell(row))),
    );
  }

  _nothing() {
    return el("tr", { class: "none" }, el("td", { colspan: this._columns.length }, this._empty));
  }

  /**
   * @param {number} count
   * @param {number | null} total
   * @param {boolean} more
   */
  _pages(count, total, more) {
    const last = total === null ? this.page + (more ? 1 : 0) : Math.max(0, Math.ceil(total / this.size) - 1);
    const said = JSON.stringify([count, total, more, this.page]);
    if (this._said === said) return;
    this._said = said;
    const button = (/** @type {number} */ page, /** @type {string} */ text, /** @type {string} */ label) =>
      el(
        "button",
        {
          type: "button",
          "aria-label": label,
          "data-focus": `page-${label}`,
          disabled: page < 0 || page > last || page === this.page,
          onclick: () => {
            this.page = page;
            this._turn(page);
          },
        },
        text,
      );
    const range = count ? `${this.skip + 1}–${this.skip + count}` : "0";
    show(
      this._pager,
      el("span", {}, total === null ? range : say("range", { range, total })),
      last > 0 || this.page > 0
        ? el(
            "span",
            {},
            button(this.page - 1, "‹", say("page_before")),
            el(
              "span",
              { class: "num here" },
              total === null ? String(this.page + 1) : `${this.page + 1} / ${last + 1}`,
            ),
            button(this.page + 1, "›", say("page_after")),
          )
        : null,
    );
  }
}
