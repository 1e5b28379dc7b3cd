import createClient from "openapi-fetch";

const ATTEMPTS = 5;
const PASSING = ["CONTENTION", "IDEMPOTENCY_IN_PROGRESS"];

/** @type {typeof import("./index.d.ts").tradepost} */
export function tradepost({ baseUrl, token }) {
  /** @type {ReturnType<typeof import("./index.d.ts").tradepost>} */
  const client = createClient({ baseUrl, fetch: retrying });
  client.use({
    async onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${await token()}`);
      return request;
    },
  });
  return client;
}

/** @param {Request} request */
async function retrying(request) {
  const attempts = request.method === "GET" || request.headers.has("Idempotency-Key") ? ATTEMPTS : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(request.clone());
      if (attempt === attempts || !(await mayPass(response))) return response;
    } catch (error) {
      if (attempt === attempts) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt * Math.random()));
  }
}

/**
 * Whether the same request may succeed later: the API is out of reach or busy, or another request was in the way.
 *
 * @param {Response} response
 */
async function mayPass(response) {
  if (response.status === 429 || response.status >= 500) return true;
  return response.status === 409 && PASSING.includes((await response.clone().json()).code);
}
