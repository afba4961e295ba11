import { Command } from "commander";
import { isAddressBlock } from "../browsers/egress/address-policy.ts";
import type { Config } from "../config.ts";
import { openDataDirectory } from "../store/data-directory.ts";
import { openSqlite } from "../store/sqlite.ts";
import { TenantRecords } from "../store/tenant-records.ts";

/** `nightjar tenants`: works beside a running server, on the same data directory. */
export function tenantsCommand(config: () => Config): Command {
  const command = new Command("tenants").description(
    "list tenants and what their sessions may reach; a tenant comes with its first key",
  );

  command
    .command("list")
    .description("list tenants")
    .action(async () => {
      await withTenants(config(), async (tenants) => {
        const found = await tenants.list();
        console.table(
          found.map((tenant) => ({
            tenant: tenant.id,
            created: new Date(tenant.createdAt).toISOString(),
            "may reach besides": tenant.egressAllow.join(", "),
          })),
        );
      });
    });

  command
    .command("allow")
    .description(
      "set the private addresses that sessions of a tenant may connect to beside NIGHTJAR_EGRESS_ALLOW, for sessions that start from now on; none takes them back",
    )
    .argument("<tenant>", "the tenant's id, as `tenants list` shows it")
    .argument("[blocks...]", "addresses or CIDR blocks, e.g. 10.1.0.0/16")
    .action(async (id: string, blocks: string[]) => {
      const wrong = blocks.find((block) => !isAddressBlock(block));
      if (wrong !== undefined) throw new Error(`"${wrong}" is no address and no CIDR block`);
      await withTenants(config(), async (tenants) => {
        if (!(await tenants.setEgressAllow(id, blocks))) throw new Error(`no tenant is "${id}"`);
        console.log(
          `${id} may reach besides: ${blocks.length === 0 ? "nothing" : blocks.join(", ")}`,
        );
      });
    });

  return command;
}

async function withTenants(config: Config, use: (tenants: TenantRecords) => Promise<void>) {
  const database = await openSqlite(openDataDirectory(config.dataDir).databaseFile);
  try {
    await use(new TenantRecords(database));
  } finally {
    await database.close();
  }
}
