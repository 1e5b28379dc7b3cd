import type { Client } from "openapi-fetch";

import type { components, paths } from "./schema.d.ts";

/** Types of the API by name, such as `Schemas["Order"]`. */
export type Schemas = components["schemas"];

export interface Options {
  /** Base URL of the API, without `/v1`. */
  baseUrl: string;
  /** Returns the caller's ID token. Called for each request, so that it can refresh the token. */
  token: () => string | Promise<string>;
}

/** Returns a typed client. It repeats requests that may be repeated: reads, and commands with an Idempotency-Key. */
export function tradepost(options: Options): Client<paths>;
