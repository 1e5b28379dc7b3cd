import { changeItem, createItem, listItems, placeOrder } from "./hey/index.ts";
import { client } from "./hey/client.gen.ts";

client.setConfig({ baseUrl: process.env.TRADEPOST_API!, auth: () => process.env.TRADEPOST_TOKEN! });

const created = await createItem({ body: { name: "Mug", price: { amount: "12.99", currency: "EUR" }, stock: 10 } });
if (created.error) throw new Error(created.error.detail);
const path = { item_id: created.data.id };
const headers = { "If-Match": created.response!.headers.get("ETag")! };
const changed = await changeItem({ path, headers, body: { name: "Red mug" } });
console.log(changed.data?.name, changed.data?.price.amount);

const order = (quantity: number) =>
  placeOrder({
    headers: { "Idempotency-Key": crypto.randomUUID() },
    body: { lines: [{ item_id: path.item_id, quantity }] },
  });
const placed = await order(2);
console.log(placed.data?.status, placed.data?.total.amount);
const refused = await order(99);
if (refused.error?.code !== "OUT_OF_STOCK") throw new Error("There are only ten.");
console.log(refused.error.errors.map((each) => `${each.pointer} ${each.detail}`).join());

let cursor: string | undefined;
let count = 0;
do {
  const page = await listItems({ query: { limit: 1, cursor } });
  if (page.error) throw new Error(page.error.detail);
  count += page.data.items.length;
  cursor = page.data.next_cursor ?? undefined;
} while (cursor);
console.log(count, "items");
