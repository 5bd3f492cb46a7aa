/** Sample lists of 200 items, of which 5 fail, to watch a run that meets trouble. */

export const SAMPLE_ITEMS = 200;
const WRONG = [23, 61, 104, 148, 187];
const REFUSED = new Set([23, 104]); // as infra/local/refused_emails.py has it
const FIRST = ["ana", "ben", "chidi", "dana", "emre", "fay", "goro", "hana", "ivan", "jana"];
const LANGUAGES = ["en", "es", "fr", "de", "pt-BR", "ja"];

/**
 * A list for a workflow, as a file.
 * @param {object} schema of its parameters
 * @param {object} parameters of the form, which other workflows' items are made of
 * @returns {File}
 */
export function sampleList(workflow, schema, parameters) {
  const known = MADE[workflow];
  const text = known ? known() : others(schema, parameters);
  return new File([text], known ? "sample.csv" : "sample.jsonl");
}

const rows = (head, rowOf) =>
  [head, ...Array.from({ length: SAMPLE_ITEMS }, (_, index) => rowOf(index))].join("\n");

const person = (index) => `${FIRST[index % FIRST.length]}.${index}`;

/** Three addresses are none, and the provider refuses two. */
const address = (index) => `${person(index)}${REFUSED.has(index) ? "@refused.example.com"
  : WRONG.includes(index) ? " at example.com" : "@example.com"}`;

const language = (index) => LANGUAGES[index % LANGUAGES.length];

const emails = () => rows("to,locale", (index) => `${address(index)},${language(index)}`);

const codes = () =>
  rows("channel,to,locale", (index) => `email,${address(index)},${language(index)}`);

const verifications = () => rows("verification_id", (index) => (WRONG.includes(index)
  ? "no id" : `k1.${String(index).padStart(22, "A")}`));

const MADE = { send_email_template: emails, verify_send: codes, verify_delete: verifications };

/** Items like the form, each with its number at the end of a text; five have a wrong type. */
function others(schema, parameters) {
  const names = Object.keys(schema.properties ?? {});
  const varied = names.find((name) =>
    isFreeText(schema.properties[name]) && typeof parameters[name] === "string");
  const [first = "name"] = [...(schema.required ?? []), ...names];
  const wrong = schema.properties?.[first]?.type === "object" ? "wrong" : { wrong: true };
  return Array.from({ length: SAMPLE_ITEMS }, (_, index) => JSON.stringify({
    ...parameters,
    ...(varied && { [varied]: `${parameters[varied]} ${index + 1}` }),
    ...(WRONG.includes(index) && { [first]: wrong }),
  })).join("\n");
}

/** Whether a text may have any end. */
const isFreeText = ({ type, pattern, format, enum: values }) =>
  type === "string" && !pattern && !format && !values;
