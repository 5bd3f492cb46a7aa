/** Forms made of JSON Schema, as /openapi.json has it of the parameters' types. */

import { h, replace } from "./dom.js";
import { button, field, newId } from "./parts.js";

let document_;

/** The API's OpenAPI document. */
export const openapi = () =>
  (document_ ??= fetch("/openapi.json", { headers: { "x-console": "poll" } }).then((got) => got.json()));

/** Reads the document anew at the next call, as after a change of code. */
export const forgetOpenapi = () => (document_ = undefined);

/** Schema of a workflow's parameters, its references resolved one level deep at a time. */
export async function parametersOf(workflow) {
  const api = await openapi();
  const operation = api.paths[`/workflows/${workflow}`]?.post;
  const schema = operation?.requestBody?.content["application/json"].schema;
  return { schema: schema && resolved(schema, api), operation, api };
}

/** A schema without its reference, and without the null of an optional parameter. */
export function resolved(schema, api) {
  let found = schema;
  while (found?.$ref) {
    const target = found.$ref.split("/").slice(1).reduce((at, name) => at[name], api);
    const { $ref, ...beside } = found;
    found = { ...target, ...beside };
  }
  const some = found?.anyOf?.filter((each) => each.type !== "null");
  if (some?.length === 1) {
    const { anyOf, ...beside } = found;
    return resolved({ ...some[0], ...beside }, api);
  }
  const types = [found?.type].flat().filter((each) => each !== "null");
  return types.length === 1 ? { ...found, type: types[0] } : found ?? {};
}

/**
 * A form for an object.
 * @param {object} schema of type object
 * @param {object} api the OpenAPI document
 * @param {object} values what the fields have at first
 * @returns {{element: Element, read: () => object, fill: (values: object) => void,
 *   tell: (errors: {pointer: string, detail: string}[]) => void, clear: () => void}}
 *   `read` leaves out empty fields and throws an Error for JSON that cannot be read; `tell` shows
 *   the errors of a problem beside their fields.
 */
export function formOf(schema, api, values = {}) {
  const names = Object.keys(schema.properties ?? {});
  const required = new Set(schema.required ?? []);
  const controls = new Map();
  const element = h("div", { class: "form" });
  const fill = (next) => {
    controls.clear();
    const fields = names.map((name) => {
      const one = controlOf(resolved(schema.properties[name], api), api, next[name], name);
      controls.set(name, one);
      const label = [name, required.has(name) && h("span", { class: "required" }, " required")];
      one.error = h("p", { class: "error", id: newId("error"), role: "alert" });
      const box = one.nested
        ? h("fieldset", {}, h("legend", {}, label), one.element)
        : field(label, one.element, one.hint);
      box.append(one.error);
      return box;
    });
    const extra = names.map((name) => !required.has(name) && isEmpty(next[name]));
    const folded = extra.filter(Boolean).length > MOST_EMPTY;
    replace(element, fields.filter((_, place) => !(folded && extra[place])),
      folded && more(fields.filter((_, place) => extra[place])));
  };
  const read = () => Object.fromEntries([...controls].map(([name, one]) => [name, one.read(name)])
    .filter(([, value]) => value !== undefined));
  const clear = () => controls.forEach((one) => {
    one.error.textContent = "";
    one.element.removeAttribute("aria-invalid");
    one.clear?.();
  });
  const tell = (errors) => {
    clear();
    let first;
    for (const { pointer, detail } of errors) {
      const [, name, ...rest] = pointer.split("/");
      const one = controls.get(name);
      if (!one) continue;
      if (rest.length && one.tell) one.tell([{ pointer: `/${rest.join("/")}`, detail }]);
      else {
        one.error.textContent = `${rest.length ? `${rest.join("/")}: ` : ""}${detail}`;
        one.element.setAttribute("aria-invalid", "true");
        one.element.setAttribute("aria-errormessage", one.error.id);
      }
      first ??= one.element;
    }
    first?.closest("details")?.setAttribute("open", "");
    first?.focus?.();
  };
  fill(values);
  return { element, read, fill, tell, clear };
}

/** More optional fields without a value than these are folded. */
const MOST_EMPTY = 2;

const isEmpty = (value) => value === undefined || value === null || value === "";

const more = (fields) => h("details", { class: "more" },
  h("summary", {}, `${fields.length} more parameters`), h("div", { class: "form" }, fields));

function controlOf(schema, api, value, name) {
  const hint = hintOf(schema);
  if (schema.enum) return { ...enumControl(schema, value), hint };
  if (schema.type === "boolean") return { ...enumControl({ enum: [true, false] }, value), hint };
  if (schema.type === "integer" || schema.type === "number") {
    return { ...textControl(schema, value, name, Number), hint };
  }
  if (schema.type === "string") return { ...textControl(schema, value, name), hint };
  if (schema.type === "object" && Object.keys(schema.properties ?? {}).length) {
    const form = formOf(schema, api, value ?? {});
    const read = () => {
      const got = form.read();
      return Object.keys(got).length ? got : undefined;
    };
    return { ...form, read, nested: true };
  }
  if (isTextOrTexts(schema)) return { ...textControl(schema, value, name, textOrTexts), hint };
  return { ...jsonControl(schema, value), hint };
}

const isTextOrTexts = (schema) => schema.anyOf?.some((each) => each.type === "string");

/** A text; several of them where it is JSON's list. */
const textOrTexts = (text) => (text.trim().startsWith("[") ? JSON.parse(text) : text);

function enumControl(schema, value) {
  const named = new Map(schema.enum.filter((each) => each !== null).map((each) => [String(each), each]));
  const option = (text) => h("option", { value: text }, text || "–");
  const element = h("select", {}, ["", ...named.keys()].map(option));
  element.value = value === undefined || value === null ? "" : String(value);
  return { element, read: () => named.get(element.value) };
}

function textControl(schema, value, name, convert = (text) => text) {
  const long = schema.maxLength > 500 || (typeof value === "string" && value.includes("\n"));
  const shown = value === undefined || value === null ? ""
    : typeof value === "string" ? value : JSON.stringify(value);
  const element = h(long ? "textarea" : "input", {
    value: shown, autocomplete: "off", spellcheck: "false", rows: long && 3,
    placeholder: schema.examples?.[0] !== undefined && `${schema.examples[0]}`,
    inputmode: convert === Number && "decimal",
  });
  const read = () => (element.value === "" ? undefined : converted(element.value, convert, name));
  return { element, read };
}

function jsonControl(schema, value) {
  const element = h("textarea", {
    value: value === undefined || value === null ? "" : JSON.stringify(value, null, 2),
    class: "mono", spellcheck: "false", rows: rowsOf(value),
    placeholder: schema.type === "array" ? "[…]" : "{…}",
  });
  const read = (name) =>
    (element.value.trim() ? converted(element.value, JSON.parse, name) : undefined);
  return { element, read };
}

const MOST_ROWS = 14;
const rowsOf = (value) =>
  (value ? Math.min(MOST_ROWS, JSON.stringify(value, null, 2).split("\n").length + 1) : 3);

function converted(text, convert, name) {
  try {
    const value = convert(text);
    // What is no number goes as it was typed, so that the API's own problem is seen.
    return Number.isNaN(value) ? text : value;
  } catch {
    throw new Error(`${name} is not valid JSON.`);
  }
}

const hintOf = (schema) => {
  const first = schema.description?.split(/(?<=\.)\s/)[0].replaceAll("`", "");
  return first && first.length > 160 ? `${first.slice(0, 157)}…` : first;
};

/**
 * A form that can also be edited as JSON. `actions` stand beside that button.
 * @returns {{element: Element, read: () => object, fill: (values: object) => void, tell: Function}}
 */
export function editorOf(schema, api, values, ...actions) {
  const form = formOf(schema, api, values);
  const text = h("textarea", { class: "mono", rows: 12, spellcheck: "false", "aria-label": "Parameters as JSON" });
  const shown = h("div", {}, form.element);
  let asJson = false;
  const parse = () => {
    try {
      return JSON.parse(text.value || "{}");
    } catch (error) {
      throw new Error(`The parameters are not valid JSON: ${error.message}`);
    }
  };
  const read = () => (asJson ? parse() : form.read());
  const toggle = button("Edit as JSON", () => {
    try {
      const now = read();
      asJson = !asJson;
      if (asJson) text.value = JSON.stringify(now, null, 2);
      else form.fill(now);
      replace(shown, asJson ? text : form.element);
      replace(toggle, asJson ? "Edit as form" : "Edit as JSON");
      trouble.textContent = "";
    } catch (error) {
      trouble.textContent = error.message;
    }
  }, "quiet");
  const trouble = h("p", { class: "error", role: "alert" });
  const fill = (next) => (asJson ? (text.value = JSON.stringify(next, null, 2)) : form.fill(next));
  const tell = (errors) => (asJson ? undefined : form.tell(errors));
  const element = h("div", { class: "editor" }, shown, trouble, h("div", { class: "actions" }, toggle, actions));
  return { element, read, fill, tell };
}
