/** Sample lists of 200 items, of which 5 fail, to watch a run that meets trouble. */

export const SAMPLE_ITEMS = 200;
const WRONG = [23, 61, 104, 148, 187];
const REFUSED = [23, 104]; // as infra/local/refused_emails.py has it
const FIRST = ["ana", "ben", "chidi", "dana", "emre", "fay", "goro", "hana", "ivan", "jana"];
const LANGUAGES = ["en", "es", "fr", "de", "pt-BR", "ja"];
const COLUMNS = { channel: () => "email", to: address, locale: (index) => LANGUAGES[index % LANGUAGES.length] };

/** A list of recipients, as CSV, or of items like the form's, as JSON Lines. */
export function sampleList(schema, parameters) {
  const names = Object.keys(COLUMNS).filter((name) => schema.properties?.[name]);
  const indexes = [...Array(SAMPLE_ITEMS).keys()];
  return new Blob([(names.includes("to")
    ? [names, ...indexes.map((index) => names.map((name) => COLUMNS[name](index)))]
    : indexes.map(itemOf(schema, parameters))).join("\n")]);
}

/** Three addresses are none, and the provider refuses two. */
function address(index) {
  const domain = REFUSED.includes(index) ? "@refused.example.com"
    : WRONG.includes(index) ? " at example.com" : "@example.com";
  return `${FIRST[index % FIRST.length]}.${index}${domain}`;
}

/** An item like the form, with its number at the end of a text; five have a wrong type. */
function itemOf(schema, parameters) {
  const names = Object.keys(schema.properties ?? {});
  const varied = names.find((name) =>
    isFreeText(schema.properties[name]) && typeof parameters[name] === "string");
  const [first = "name"] = [...(schema.required ?? []), ...names];
  const wrong = schema.properties?.[first]?.type === "object" ? "wrong" : { wrong: true };
  return (index) => JSON.stringify({
    ...parameters,
    ...(varied && { [varied]: `${parameters[varied]} ${index + 1}` }),
    ...(WRONG.includes(index) && { [first]: wrong }),
  });
}

const isFreeText = ({ type, pattern, format, enum: values }) =>
  type === "string" && !pattern && !format && !values;
