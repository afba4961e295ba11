import { randomBytes } from "node:crypto";
import type { Database } from "./database.ts";

/** A secret of 32 random bytes that is made on first use and is the same for every node ever after. */
export async function serverSecret(database: Database, name: string): Promise<Buffer> {
  await database.query
    .insertInto("server_secrets")
    .values({ name, value: randomBytes(32).toString("base64") })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  const row = await database.query
    .selectFrom("server_secrets")
    .select("value")
    .where("name", "=", name)
    .executeTakeFirstOrThrow();
  await database.flush();
  return Buffer.from(row.value, "base64");
}
