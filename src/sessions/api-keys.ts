import { invalidField, NightjarError } from "./errors.ts";

/** What may be told about an API key; the key itself is shown once, when it is made. */
export interface ApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  /** The key's first characters. */
  readonly hint: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Epoch ms; null while the key is valid. */
  readonly revokedAt: number | null;
}

/** Keeps API keys, as hashes only. */
export interface ApiKeyStore {
  /** Makes a key, and its tenant where it is new. The answer alone holds the key. */
  create(tenantId: string, name: string): Promise<{ readonly key: string; readonly id: string }>;
  /** Newest first, revoked ones included. */
  list(tenantId: string): Promise<readonly ApiKey[]>;
  /** False when the tenant has no valid key with this id. */
  revoke(id: string, tenantId: string): Promise<boolean>;
}

/** Valid keys that a tenant may have at once. */
export const maxValidKeys = 100;
export const longestKeyName = 100;

/** The API keys of tenants, as a tenant itself may see and change them. */
export class ApiKeys {
  readonly #store: ApiKeyStore;

  constructor(store: ApiKeyStore) {
    this.#store = store;
  }

  list(tenantId: string): Promise<readonly ApiKey[]> {
    return this.#store.list(tenantId);
  }

  /** Throws `invalid_request` for a name that nobody could read, and `api_key_limit`. */
  async create(
    tenantId: string,
    name: string,
  ): Promise<{ readonly key: string; readonly apiKey: ApiKey }> {
    const trimmed = name.trim();
    if (trimmed === "" || trimmed.length > longestKeyName || /\p{Cc}/u.test(trimmed)) {
      throw invalidField(
        "name",
        `name must have 1 to ${longestKeyName} characters, all of them visible.`,
      );
    }
    const before = await this.#store.list(tenantId);
    if (before.filter(({ revokedAt }) => revokedAt === null).length >= maxValidKeys) {
      throw new NightjarError(
        "api_key_limit",
        `You have ${maxValidKeys} valid API keys, the most there may be. Revoke one first.`,
      );
    }
    const { key, id } = await this.#store.create(tenantId, trimmed);
    const apiKey = (await this.#store.list(tenantId)).find((entry) => entry.id === id);
    if (apiKey === undefined) throw new Error(`the key ${id} was made and is not there`);
    return { key, apiKey };
  }

  /** Makes a key invalid at once. Throws `api_key_not_found`. */
  async revoke(tenantId: string, id: string): Promise<void> {
    if (await this.#store.revoke(id, tenantId)) return;
    throw new NightjarError("api_key_not_found", `You have no valid API key with the id "${id}".`);
  }
}
