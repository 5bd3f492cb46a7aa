/** The upload of a list: a form from the API, then the file to the storage. */

import { api, asCurl, asFetch } from "../api.js";
import { codeTabs } from "../parts.js";

/** Its `id`, or an answer that is not `ok`, whose body is the problem. */
export async function uploaded({ format, blob }) {
  const got = await api("POST", "/runs/uploads", { body: { format } });
  if (!got.ok) return got;
  const form = new FormData();
  for (const [name, value] of Object.entries(got.body.fields)) form.append(name, value);
  form.append("file", blob);
  const stored = await fetch(got.body.url, { method: "POST", body: form });
  const { ok } = stored;
  return ok ? { ok, id: got.body.upload_id }
    : { ok, body: { title: "The list could not be stored", detail: await stored.text() } };
}

/** The request as code, after the two requests that upload a list of a format. */
export function uploadCode(request, format) {
  const form = { ...request, path: "/runs/uploads", body: { format } };
  return codeTabs(() => curlOf(form, request), () => fetchOf(form, request));
}

const curlOf = (form, request) => [
  `${asCurl(form)} > form.json`,
  `curl -s $(jq -r '.fields | to_entries[] | "-F \\(.key)=\\(.value)"' form.json) \\
  -F file=@list.${form.body.format} $(jq -r .url form.json)`,
  asCurl(request).replace('"<upload_id>"', `"'$(jq -r .upload_id form.json)'"`),
].join("\n\n");

const fetchOf = (form, request) => [
  asFetch(form).replace("const answer", "const upload"),
  `const data = new FormData();
for (const [name, value] of Object.entries(upload.fields)) data.append(name, value);
data.append("file", file); // a File of an input, or a Blob
await fetch(upload.url, { method: "POST", body: data });`,
  asFetch(request).replace("const response", "const started")
    .replace("response.json", "started.json").replace("const answer", "const run")
    .replace('"<upload_id>"', "upload.upload_id"),
].join("\n\n");
