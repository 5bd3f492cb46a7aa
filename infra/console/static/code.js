/** The code in a message, as the product's templates write it. */

const CODE = "(?=[A-Z]*\\d|[A-Z]{6})[0-9A-Z]{4,10}";
const PLACES = {
  email: [new RegExp(`^[ \\t]*(${CODE})[ \\t]*\\r?$`, "m")],
  // "…: 1, 2, 3, 4, 5, 6."
  voice: [/(?<!\w)((?:[0-9A-Z], ){3,9}[0-9A-Z])\./],
};
const ON_A_PHONE = [
  new RegExp(`^@\\S+ #(${CODE})`, "m"), // the last line, for autofill
  new RegExp(`"1": ?"(${CODE})"`), // the variable of WhatsApp's template
  /(?<![\w@#+./=-])(?=[A-Z]*\d)([0-9A-Z]{4,10})(?![0-9A-Za-z]|[-.,:/]\d)/, // in a sentence
];

export function codeIn({ channel, text }) {
  for (const place of PLACES[channel] ?? ON_A_PHONE) {
    const found = place.exec(text ?? "");
    if (found) return found[1].replaceAll(", ", "");
  }
}
