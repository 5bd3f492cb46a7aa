/** Forms made of JSON Schema, as /openapi.json has it of the parameters' types. */

import { asText } from "./api.js";
import { h, replace } from "./dom.js";
import { button, failure, field, mark } from "./parts.js";

const MOST_ROWS = 14;
/** More optional fields without a value than these are folded. */
const MOST_EMPTY = 2;

let document_;

export const openapi = () =>
  (document_ ??= fetch("/openapi.json", { headers: { "x-console": "poll" } }).then((got) => got.json()));

/** Reads the document anew at the next call, as after a change of code. */
export const forgetOpenapi = () => (document_ = undefined);

export async function parametersOf(workflow) {
  const api = await openapi();
  const operation = api.paths[`/workflows/${workflow}`]?.post;
  const schema = resolved(operation?.requestBody?.content["application/json"].schema, api);
  return { schema, operation, api };
}

/** A schema without its reference, and without the null of an optional parameter. */
export function resolved(schema = {}, api) {
  const { $ref, ...beside } = schema;
  if ($ref) {
    const target = $ref.split("/").slice(1).reduce((at, name) => at[name], api);
    return resolved({ ...target, ...beside }, api);
  }
  const some = schema.anyOf?.filter((each) => each.type !== "null");
  if (some?.length === 1) {
    const { anyOf, ...others } = schema;
    return resolved({ ...some[0], ...others }, api);
  }
  const types = [schema.type].flat().filter((each) => each !== "null");
  return types.length === 1 ? { ...schema, type: types[0] } : schema;
}

/**
 * A form for an object. `read` leaves out empty fields and throws an Error for JSON that cannot be
 * read; `fill` takes values; `tell` shows the errors of a problem beside their fields.
 */
function formOf(schema, api, values = {}) {
  const names = Object.keys(schema.properties ?? {});
  const required = new Set(schema.required);
  const controls = new Map();
  const element = h(".stack");
  const fill = (next) => {
    const boxes = names.map((name) => {
      const one = controlOf(resolved(schema.properties[name], api), api, next[name], name);
      controls.set(name, one);
      return boxOf(one, [name, required.has(name) && h("small", " required")]);
    });
    const isExtra = (_, place) => !required.has(names[place]) && isEmpty(next[names[place]]);
    const extra = boxes.filter(isExtra);
    if (extra.length <= MOST_EMPTY) replace(element, boxes);
    else replace(element, boxes.filter((each) => !extra.includes(each)), more(extra));
  };
  const read = () => Object.fromEntries([...controls].map(([name, one]) => [name, one.read()])
    .filter(([, value]) => value !== undefined));
  const tell = (errors) => {
    let first;
    for (const [name, one] of controls) {
      const own = errors.filter(({ pointer }) => `${pointer}/`.startsWith(`/${name}/`))
        .map((each) => ({ ...each, pointer: each.pointer.slice(name.length + 1) }));
      const here = own.filter(({ pointer }) => !pointer || !one.tell);
      one.tell?.(own);
      mark(one.element, here.map(({ pointer, detail }) =>
        (pointer ? `${pointer.slice(1)}: ${detail}` : detail)).join(" "));
      if (own.length) first ??= one.element;
    }
    first?.closest("details")?.setAttribute("open", "");
    first?.focus();
  };
  fill(values);
  return { element, read, fill, tell };
}

function boxOf(one, label) {
  if (!one.tell) return field(label, one.element, one.hint);
  one.element.error = h("p.error");
  return h("fieldset", h("legend", label), one.element, one.element.error);
}

const isEmpty = (value) => value === undefined || value === null || value === "";

const more = (fields) => h("details",
  h("summary.link", `${fields.length} more parameters`), h(".stack.inside", fields));

function controlOf(schema, api, value, name) {
  if (schema.type === "object" && Object.keys(schema.properties ?? {}).length) {
    const form = formOf(schema, api, value ?? {});
    const read = () => {
      const got = form.read();
      return Object.keys(got).length ? got : undefined;
    };
    return { ...form, read };
  }
  const choices = schema.type === "boolean" ? [true, false] : schema.enum;
  return { hint: hintOf(schema),
    ...(choices ? choiceControl(choices, value) : textControl(schema, value, name)) };
}

function choiceControl(choices, value) {
  const named = new Map(choices.filter((each) => each !== null).map((each) => [String(each), each]));
  const element = h("select", ["", ...named.keys()].map((text) => h("option", { value: text }, text || "–")));
  element.value = isEmpty(value) ? "" : String(value);
  return { element, read: () => named.get(element.value) };
}

function textControl(schema, value, name) {
  const convert = conversionOf(schema);
  const isJson = convert === JSON.parse;
  const text = isEmpty(value) ? "" : isJson ? JSON.stringify(value, null, 2) : asText(value);
  const lines = text.split("\n").length;
  const isLong = isJson || schema.maxLength > 500 || lines > 1;
  const [example] = isJson ? [schema.type === "array" ? "[…]" : "{…}"] : schema.examples ?? [];
  const element = h(isLong ? "textarea" : "input", {
    value: text, class: isJson && "mono", autocomplete: "off", spellcheck: "false",
    rows: isLong && Math.min(MOST_ROWS, Math.max(3, lines + 1)),
    placeholder: example !== undefined && String(example),
    inputmode: convert === asNumber && "decimal",
  });
  const read = () => (element.value === "" ? undefined : converted(element.value, convert, name));
  return { element, read };
}

function conversionOf({ type, anyOf }) {
  if (type === "integer" || type === "number") return asNumber;
  if (type === "string") return String;
  // A text, and several of them as JSON's list.
  if (anyOf?.some((each) => each.type === "string")) {
    return (text) => (text.trim().startsWith("[") ? JSON.parse(text) : text);
  }
  return JSON.parse;
}

function converted(text, convert, name) {
  try {
    return convert(text);
  } catch (error) {
    throw new Error(`${name} cannot be read: ${error.message}`);
  }
}

export const readJson = (text, name) => converted(text, JSON.parse, name);

/** What is no number stays as it was typed, so that the API's own problem is seen. */
export const asNumber = (text) => (text.trim() && Number.isFinite(Number(text)) ? Number(text) : text);

const hintOf = (schema) => {
  const first = schema.description?.split(/(?<=\.)\s/)[0].replaceAll("`", "");
  return first?.length > 160 ? `${first.slice(0, 157)}…` : first;
};

export const textInput = (props) => h("input", { autocomplete: "off", spellcheck: "false", ...props });

export const codeArea = (value, rows, props = {}) =>
  h("textarea.mono", { value: asText(value, 2), rows, spellcheck: "false", ...props });

export function editorOf(schema, api, values, ...actions) {
  const form = formOf(schema, api, values);
  const area = codeArea("", 12, { label: "Parameters as JSON" });
  const shown = h("div", form.element);
  const trouble = h("div");
  let asJson = false;
  const read = () => (asJson ? readJson(area.value || "{}", "The parameters") : form.read());
  const fill = (next) => (asJson ? (area.value = asText(next, 2)) : form.fill(next));
  const tell = (errors) => asJson || form.tell(errors);
  const toggle = button("Edit as JSON", () => {
    replace(trouble);
    try {
      const now = read();
      asJson = !asJson;
      fill(now);
      replace(shown, asJson ? area : form.element);
      replace(toggle, asJson ? "Edit as form" : "Edit as JSON");
    } catch (error) {
      replace(trouble, failure(error));
    }
  }, "quiet");
  const element = h(".stack", shown, trouble, h(".actions", toggle, actions));
  return { element, read, fill, tell };
}
