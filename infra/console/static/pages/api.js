/** API: the reference of openapi.json, and every call to try. */

import { api as call } from "../api.js";
import { h, keep } from "../dom.js";
import { editorOf, openapi, resolved } from "../form.js";
import { answer, choice, field, json, pageHead, requestCode, submit, tabs }
  from "../parts.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Every operation of the document, in its order. */
function operations(document_) {
  return Object.entries(document_.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      ...item[method], method: method.toUpperCase(), path,
      parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])]
        .map((each) => resolved(each, document_)),
    })));
}

let style;

export async function show(main, { rest: [id] }) {
  style ??= document.head.appendChild(
    h("link", { rel: "stylesheet", href: new URL("api.css", import.meta.url).pathname }));
  const document_ = await openapi();
  const all = operations(document_);
  const chosen = all.find((each) => each.operationId === id) ?? all[0];
  const list = h("ul.items.operations");
  const search = h("input", { type: "search", placeholder: "Search", label: "Search the calls",
    on: { input: () => drawList(list, all, document_, chosen, search.value) } });
  drawList(list, all, document_, chosen, "");
  main.append(
    pageHead("API", "Every call, with its parameters, answers and problems.",
      h("a.button", { href: "/openapi.json", download: "openapi.json" }, "Download openapi.json")),
    h(".split.list",
      h("nav.stack", { label: "Calls" }, search, list),
      operationPart(chosen, document_)));
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

function drawList(list, all, document_, chosen, wanted) {
  const found = all.filter((each) =>
    `${each.method} ${each.path} ${each.summary}`.toLowerCase().includes(wanted.toLowerCase()));
  const tags = [...new Set(found.map((each) => each.tags?.[0] ?? ""))];
  const rows = tags.flatMap((tag) => [{ tag }, ...found.filter((each) => (each.tags?.[0] ?? "") === tag)]);
  keep(list, rows, (each) => each.tag ?? each.operationId, (each) => (each.tag !== undefined
    ? h("li.tag", each.tag)
    : h("li", h("a", {
      href: `/console/api/${each.operationId}`,
      "aria-current": each.operationId === chosen.operationId && "true",
    }, methodPart(each.method), " ", each.path.replace("/workflows/", "")))));
}

const methodPart = (method) => h("b", { class: `method ${method.toLowerCase()}` }, method);

const operationPart = (operation, document_) => h(".stack",
  h("section.card",
    h("h2", methodPart(operation.method), " ", h("code", operation.path)),
    h("p", h("b", operation.summary)),
    paragraphs(operation.description),
    parametersPart(operation, document_)),
  tryPart(operation, document_),
  answersPart(operation, document_));

const paragraphs = (text) =>
  (text ?? "").split(/\n\n+/).filter(Boolean).map((each) => h("p", withCode(each)));

/** A text whose words in backticks are code. */
const withCode = (text) =>
  text.split("`").map((each, place) => (place % 2 ? h("code", each) : each));

function parametersPart(operation, document_) {
  const body = bodyOf(operation, document_);
  return [
    operation.parameters.length > 0 && [
      h("h3", "Path, query and headers"),
      h("dl.fields", operation.parameters.map((each) => fieldPart(
        each.name, { ...resolved(each.schema, document_), description: each.description },
        each.required, document_, each.in))),
    ],
    body && [h("h3", "Body"), fieldsPart(body, document_)],
  ];
}

/** Schema of the JSON body. */
function bodyOf(operation, document_) {
  const content = resolved(operation.requestBody, document_).content ?? {};
  const schema = content["application/json"]?.schema ?? Object.values(content)[0]?.schema;
  return schema && resolved(schema, document_);
}

function fieldsPart(schema, document_, depth = 0) {
  const several = schema.anyOf ?? schema.oneOf;
  if (several && !schema.properties) {
    return several.map((each, place) => [
      place > 0 && h("p.none", "or"), fieldsPart(resolved(each, document_), document_, depth)]);
  }
  const inner = schema.type === "array" ? resolved(schema.items, document_) : schema;
  const names = Object.entries(inner.properties ?? {});
  if (!names.length || depth > 3) return h("p.none", typeOf(schema, document_));
  return h("dl.fields", names.map(([name, each]) =>
    fieldPart(name, each, inner.required?.includes(name), document_, "", depth)));
}

function fieldPart(name, schema, required, document_, where = "", depth = 0) {
  const about = resolved(schema, document_);
  const inside = about.type === "array" ? resolved(about.items, document_) : about;
  return h("div",
    h("dt", h("code", name), " ", h("span.none", typeOf(about, document_)),
      where && h("span.none", ` · ${where}`),
      required && h("small", " · required")),
    h("dd", about.description && h("p", withCode(about.description)), limitsPart(about),
      inside.properties && depth < 3 && h("details", h("summary", "Fields"),
        fieldsPart(inside, document_, depth + 1))));
}

/** Type in words: "text", "list of numbers", "email, or null". */
function typeOf(schema, document_) {
  const about = resolved(schema, document_);
  if (about.enum) return about.enum.map((each) => JSON.stringify(each)).join(", ");
  if (about.const !== undefined) return JSON.stringify(about.const);
  const several = about.anyOf ?? about.oneOf;
  if (several) return several.map((each) => typeOf(each, document_)).join(" or ");
  if (about.type === "array") return `list of ${typeOf(about.items ?? {}, document_)}`;
  const type = [about.type].flat().filter(Boolean).join(" or ");
  return { string: about.format ?? "text", boolean: "true or false" }[type] ?? (type || "any value");
}

function limitsPart(schema) {
  const told = [["minLength", "at least", "characters"], ["maxLength", "at most", "characters"],
    ["minimum", "at least", ""], ["maximum", "at most", ""], ["minItems", "at least", "items"],
    ["maxItems", "at most", "items"], ["default", "default", ""]]
    .filter(([name]) => schema[name] !== undefined && schema[name] !== null)
    .map(([name, words, unit]) => `${words} ${JSON.stringify(schema[name])} ${unit}`.trim()
      .replace(/^(.* 1 \w+)s$/, "$1"));
  const all = [...told, schema.pattern && `pattern ${schema.pattern}`].filter(Boolean);
  return all.length > 0 && h("small", all.join(" · "));
}

function answersPart(operation, document_) {
  const answers = Object.entries(operation.responses ?? {});
  const panel = (response) => {
    const about = resolved(response, document_);
    const [[kind, content] = []] = Object.entries(about.content ?? {});
    const example = content && (content.example ?? Object.values(content.examples ?? {})[0]?.value);
    return h(".stack", h("p", withCode(about.description)),
      kind && h("p.none", kind), example !== undefined && json(example, "Example"),
      content?.schema && fieldsPart(resolved(content.schema, document_), document_),
      headersPart(about.headers, document_));
  };
  return h("section.card", h("h2", "Answers"),
    tabs("Answers", Object.fromEntries(answers.map(([status, each]) => [status, () => panel(each)]))));
}

const headersPart = (headers = {}, document_) => Object.keys(headers).length > 0 && [
  h("h3", "Headers"),
  h("dl.fields", Object.entries(headers).map(([name, each]) => {
    const about = resolved(each, document_);
    return fieldPart(name, { ...resolved(about.schema, document_), description: about.description },
      false, document_);
  })),
];

/** A form that makes the call, filled with the development token. */
function tryPart(operation, document_) {
  const isPublic = operation.security?.some((each) => !Object.keys(each).length) ?? false;
  const state = { token: isPublic ? null : "secret" };
  const inputs = operation.parameters.filter((each) => each.in !== "header" || each.name !== "Authorization")
    .map((each) => ({ ...each, control: h("input", {
      value: each.in === "path" ? each.example ?? "" : "", spellcheck: "false", autocomplete: "off" }) }));
  const schema = bodyOf(operation, document_);
  const editor = schema?.properties && editorOf(schema, document_, exampleOf(operation, document_) ?? {});
  const raw = schema && !editor && h("textarea.mono", { rows: 6, label: "Body",
    value: JSON.stringify(exampleOf(operation, document_) ?? {}, null, 2) });
  const send = async () => {
    const { path, headers } = filled(operation.path, inputs);
    const body = editor ? editor.read() : raw ? JSON.parse(raw.value) : undefined;
    const got = await call(operation.method, path, { body, headers, token: state.token });
    editor?.tell(got.body?.errors ?? []);
    return [answer(got), requestCode(got.request)];
  };
  return h("section.card", h("h2", "Try it"),
    h(".row", h("span", "Token"), choice("Token",
      { secret: "Secret", publishable: "Publishable", none: "None" }, state.token ?? "none",
      (value) => (state.token = value === "none" ? null : value))),
    inputs.map((each) => field(`${each.name} (${each.in})`, each.control)),
    editor?.element ?? raw,
    operation.method !== "GET" && h("small", "It really happens, on the local stack."),
    submit("Send", send));
}

function exampleOf(operation, document_) {
  const content = resolved(operation.requestBody, document_).content?.["application/json"];
  return content?.example ?? Object.values(content?.examples ?? {})[0]?.value;
}

/** Path with its parameters and query, and the headers. */
function filled(path, inputs) {
  const of = (where) => inputs.filter((each) => each.in === where && each.control.value !== "");
  const whole = of("path").reduce(
    (at, each) => at.replace(`{${each.name}}`, encodeURIComponent(each.control.value)), path);
  const query = new URLSearchParams(of("query").map((each) => [each.name, each.control.value]));
  return {
    path: query.size ? `${whole}?${query}` : whole,
    headers: Object.fromEntries(of("header").map((each) => [each.name.toLowerCase(), each.control.value])),
  };
}
