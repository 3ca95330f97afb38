// The history as a table: sort it, ask again, export it, forget it.

import { button, h, one } from "./dom.js";
import { degrees, median, moment, rejected, within } from "./format.js";
import { toSearch } from "./question.js";
import { VOTABLE, columns, csv, download, votable } from "./rows.js";
import { forget, onHistory, remembered } from "./store.js";
import { Table } from "./table.js";

const exported = ["asked_at", "question", ...columns];

const exportable = ({ at, asked, title, row }) => ({ asked_at: at, question: asked.by === "file" ? title : toSearch(asked), ...row });

const inclinationOf = ({ row }) => ({
  median_deg: row.inclination_deg,
  interval68_deg: { low: row.interval68_low_deg, high: row.interval68_high_deg },
  below95_deg: row.below95_deg,
});

const names = [
  { name: "Picture", hidden: true, show: ({ thumbnail }) => (thumbnail?.startsWith("data:image/") ? h("img", { src: thumbnail, alt: "", width: 44, height: 44, class: "thumb" }) : null) },
  { name: "Galaxy", value: ({ title }) => title, show: ({ asked, title }) => (asked.by === "file" ? title : h("a", { href: toSearch(asked), "data-ask": true }, title)) },
  { name: "Inclination", numeric: true, value: ({ row }) => row.inclination_deg, show: (entry) => h("strong", {}, median(inclinationOf(entry))) },
  { name: "68 % interval", numeric: true, value: ({ row }) => row.interval68_high_deg - row.interval68_low_deg, show: (entry) => within(inclinationOf(entry)) },
  { name: "Rejection", numeric: true, value: ({ row }) => row.rejection, show: ({ row }) => rejected({ median: row.rejection, face_on: row.rejection_face_on, unsuitable: row.rejection_unsuitable }) },
  { name: "Axis ratio says", numeric: true, value: ({ row }) => row.ellipticity_inclination_deg, show: ({ row }) => degrees(row.ellipticity_inclination_deg) },
  { name: "Image", value: ({ row }) => row.image_source, show: ({ row }) => row.image_source },
  { name: "Asked", value: ({ at }) => at, show: ({ at }) => h("time", { datetime: at }, moment(at)) },
  { name: "Remove", hidden: true, show: ({ id, title }) => button("×", () => forget(id), { class: "remove", "aria-label": `Remove ${title}` }) },
];

/** Wire the history view. */
export function setUpHistory() {
  const table = new Table("Questions and answers of this browser", names);
  const rows = () => table.rows.map(exportable);
  const empty = h("p", { class: "card" }, "Nothing yet. What you ask is kept here, in this browser only.");
  const full = h("div", {},
    h("div", { class: "bar" },
      h("p", { class: "fine" }, "Kept in this browser only. A picture of your own is not kept, its result is."),
      h("div", { class: "bar-end" },
        button("Export CSV", () => download(csv(exported, rows()), "inclinet_history.csv", "text/csv")),
        button("Export VOTable", async () => download(await votable(exported, rows()), "inclinet_history.vot", VOTABLE)),
        button("Export JSON", () => download(JSON.stringify(rows(), null, 2), "inclinet_history.json", "application/json")),
        button("Clear", () => confirm("Forget all questions of this browser?") && forget(), { class: "danger" }))),
    table.element);
  const draw = (entries) => {
    table.rows = entries;
    one("#history").replaceChildren(entries.length ? full : empty);
  };
  onHistory(draw);
  draw(remembered());
}
