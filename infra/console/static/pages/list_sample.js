/** Sample lists of 200 items, of which 5 fail, to watch a run that meets trouble. */

export const SAMPLE_ITEMS = 200;
const WRONG = [23, 61, 104, 148, 187];
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

const emails = () => rows("to,locale", (index) => (WRONG.includes(index)
  ? `${person(index)} at example.com,en` : `${person(index)}@example.com,${LANGUAGES[index % LANGUAGES.length]}`));

const codes = () => rows("channel,to,locale", (index) => (WRONG.includes(index)
  ? `email,${person(index)} at example.com,en`
  : `email,${person(index)}@example.com,${LANGUAGES[index % LANGUAGES.length]}`));

const verifications = () => rows("verification_id", (index) => (WRONG.includes(index)
  ? "no id" : `k1.${String(index).padStart(22, "A")}`));

const MADE = { send_email_template: emails, verify_send: codes, verify_delete: verifications };

/** Items made of the form: each like it, with its number at the end of a text; five of a wrong type. */
function others(schema, parameters) {
  const names = Object.keys(schema.properties ?? {});
  const varied = names.find((name) => isFreeText(schema.properties[name]) && typeof parameters[name] === "string");
  const [first = "name"] = [...(schema.required ?? []), ...names];
  const wrong = schema.properties?.[first]?.type === "object" ? "wrong" : { wrong: true };
  return Array.from({ length: SAMPLE_ITEMS }, (_, index) => JSON.stringify({
    ...parameters,
    ...(varied && { [varied]: `${parameters[varied]} ${index + 1}` }),
    ...(WRONG.includes(index) && { [first]: wrong }),
  })).join("\n");
}

/** Whether a text may have any end. */
const isFreeText = (schema) => schema.type === "string" && !schema.pattern && !schema.format && !schema.enum;
