import { expect, test } from "vitest";
import { type ApiKey, type ApiKeyStore, ApiKeys, maxValidKeys } from "./api-keys.ts";

class MemoryKeys implements ApiKeyStore {
  #keys: ApiKey[] = [];

  async create(tenantId: string, name: string) {
    const id = `key_${this.#keys.length}`;
    this.#keys.push({ id, tenantId, name, hint: "nj_", createdAt: 1, revokedAt: null });
    return { id, key: `nj_${id}` };
  }

  async list(tenantId: string) {
    return this.#keys.filter((key) => key.tenantId === tenantId);
  }

  async revoke(id: string, tenantId: string) {
    const isIt = (key: ApiKey) => key.id === id && key.tenantId === tenantId;
    const found = this.#keys.some((key) => isIt(key) && key.revokedAt === null);
    this.#keys = this.#keys.map((key) => (isIt(key) ? { ...key, revokedAt: 2 } : key));
    return found;
  }
}

test("a tenant has so many valid keys and no more; revoked ones do not count", async () => {
  const keys = new ApiKeys(new MemoryKeys());
  const { apiKey } = await keys.create("alice", "first");
  for (let count = 1; count < maxValidKeys; count += 1) await keys.create("alice", "more");
  await expect(keys.create("alice", "too many")).rejects.toMatchObject({ code: "api_key_limit" });
  await keys.create("bob", "bob's own");
  await keys.revoke("alice", apiKey.id);
  await keys.create("alice", "in its place");
});

test("a key is revoked once, and only by its own tenant", async () => {
  const keys = new ApiKeys(new MemoryKeys());
  const { apiKey } = await keys.create("alice", "hers");
  const notFound = { code: "api_key_not_found" };
  await expect(keys.revoke("bob", apiKey.id)).rejects.toMatchObject(notFound);
  await keys.revoke("alice", apiKey.id);
  await expect(keys.revoke("alice", apiKey.id)).rejects.toMatchObject(notFound);
});
