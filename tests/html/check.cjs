// What is wrong with emails: {name: html} on stdin, {name: [{rule, where}]} on stdout.
const { caniemail } = require("caniemail");
const { HtmlValidate } = require("html-validate");

const CLIENTS = ["apple-mail.*", "gmail.*", "outlook.outlook-com", "outlook.windows", "samsung-email.*", "yahoo.*"];

const validator = new HtmlValidate({ root: true, extends: ["html-validate:standard", "html-validate:a11y"] });

async function conformance(html) {
  const report = await validator.validateString(html);
  return report.results
    .flatMap((result) => result.messages)
    .map((found) => ({ rule: found.message, where: `line ${found.line}, ${found.ruleId}` }));
}

function support(html) {
  const { errors, warnings } = caniemail({ clients: CLIENTS, html }).issues;
  const told = (word, issues) =>
    [...issues].flatMap(([client, found]) =>
      found.map(({ title, notes }) => ({ rule: `${word} ${title}`, where: `${client}: ${(notes ?? []).join(" ")}` })),
    );
  return [...told("no", errors), ...told("only some", warnings)];
}

async function main() {
  const emails = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const found = {};
  for (const [name, html] of Object.entries(emails)) found[name] = [...(await conformance(html)), ...support(html)];
  process.stdout.write(JSON.stringify(found));
}

main();
