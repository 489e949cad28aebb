// CSV (RFC 4180) in which no cell is a formula for a spreadsheet.

// What begins a formula in some spreadsheet, also behind spaces, also in the
// full-width forms that some of them fold.
const FORMULA = /^[\s"']*[=+\-@|%\t\r＝＋－＠]/u;

function cell(value) {
  const text = String(value ?? "").replace(/[\r\n]+/g,
    (found, at) => at === 0 ? found : " ");
  const inert = FORMULA.test(text) ? `'${text.trimStart()}` : text;
  return `"${inert.replaceAll('"', '""')}"`;
}

// Rows of values as the text of a file.
export function csv(rows) {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
