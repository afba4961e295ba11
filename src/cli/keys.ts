import { Command } from "commander";
import type { Config } from "../config.ts";
import { ApiKeyRecords, defaultTenantId } from "../store/api-key-records.ts";
import { openDataDirectory } from "../store/data-directory.ts";
import { openSqlite } from "../store/sqlite.ts";

/** `nightjar keys`: works beside a running server, on the same data directory. */
export function keysCommand(config: () => Config): Command {
  const command = new Command("keys").description("make, list and revoke API keys");

  command
    .command("create")
    .description("make an API key and print it; it is stored only as a hash")
    .option("--tenant <id>", "whose key it is; sessions of tenants are apart", defaultTenantId)
    .option("--name <name>", "what the key is for", "unnamed")
    .action(async (options: { tenant: string; name: string }) => {
      if (!/^[\w.-]{1,64}$/.test(options.tenant)) {
        throw new Error("--tenant must be 1 to 64 letters, digits, dots, dashes or underscores");
      }
      await withKeys(config(), async (keys) => {
        const { key, id } = await keys.create(options.tenant, options.name);
        console.log(key);
        console.error(`${id} of tenant ${options.tenant}. The key is shown only now: keep it.`);
      });
    });

  command
    .command("list")
    .description("list API keys; the keys themselves are not stored")
    .option("--tenant <id>", "only this tenant's")
    .action(async (options: { tenant?: string }) => {
      await withKeys(config(), async (keys) => {
        const found = await keys.list(options.tenant);
        console.table(
          found.map((key) => ({
            id: key.id,
            tenant: key.tenantId,
            name: key.name,
            key: key.hint,
            created: new Date(key.createdAt).toISOString(),
            revoked: key.revokedAt === null ? "" : new Date(key.revokedAt).toISOString(),
          })),
        );
      });
    });

  command
    .command("revoke")
    .description("make an API key invalid, at once")
    .argument("<id>", "the key's id, as `keys list` shows it")
    .action(async (id: string) => {
      await withKeys(config(), async (keys) => {
        if (!(await keys.revoke(id))) throw new Error(`no valid key has the id "${id}"`);
        console.log(`revoked ${id}`);
      });
    });

  return command;
}

async function withKeys(config: Config, use: (keys: ApiKeyRecords) => Promise<void>) {
  const database = await openSqlite(openDataDirectory(config.dataDir).databaseFile);
  try {
    await use(new ApiKeyRecords(database));
  } finally {
    await database.close();
  }
}
