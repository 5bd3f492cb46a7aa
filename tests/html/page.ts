// A page in TypeScript that uses verify.js. test_verify_types.py compiles it.
import { LimitExceeded, VerifyError, createVerifyClient, messages, suggestEmail } from "./verify.js";

const verify = createVerifyClient({ url: "https://api.example.com", token: "wf_token" });

export async function send(to: string, signal: AbortSignal): Promise<string> {
  try {
    const sent = await verify.send({ to: suggestEmail(to) ?? to, channel: "sms" }, { signal });
    const wait: number = sent.resendAt.getTime() - Date.now();
    return `${sent.verificationId} ${wait}`;
  } catch (error) {
    if (error instanceof LimitExceeded) return `in ${error.retryAfter ?? 0}`;
    if (error instanceof VerifyError) return error.errors.map(({ pointer }) => pointer).join();
    throw error;
  }
}

export async function arrived(verificationId: string): Promise<string> {
  const { status, delivery, reason } = await verify.status({ verificationId });
  return status === "pending" && delivery === "failed" ? (reason ?? "") : status;
}

const element = document.querySelector("verify-code");
element?.addEventListener("verify-valid", ({ detail }) => {
  const proof: string | null = detail.proof;
  console.log(detail.verificationId, proof, element.value);
});
if (element) element.client = verify;
messages.nl = { send: "Code sturen" };

// @ts-expect-error there is no such channel
await verify.send({ to: "ana@example.com", channel: "fax" });
// @ts-expect-error a check needs the code
await verify.check({ verificationId: "k1.d6one" });
// @ts-expect-error a client needs a token
createVerifyClient({});
