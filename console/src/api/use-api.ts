import { createContext, useContext } from "react";
import type { ApiClient } from "./api-client.ts";

export const ApiContext = createContext<ApiClient | null>(null);

/** The API with the key that was signed in with; only below the sign-in. */
export function useApi(): ApiClient {
  const api = useContext(ApiContext);
  if (api === null) throw new Error("nobody is signed in");
  return api;
}
